export { createServer, type Server, type ServerOptions } from './server.ts'
export type { SocketStats } from './socket-endpoint.ts'
