export { createServer, type Server, type ServerOptions } from './server.ts'
export type { SessionGate, SignedIn } from './session-gate.ts'
export type { ReceiveBinary, SocketStats } from './socket-endpoint.ts'
