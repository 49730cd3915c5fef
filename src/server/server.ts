import { isIPv6 } from 'node:net'
import type { Config } from '../config.ts'
import type { Hub, SessionGate } from '../rpc/index.ts'
import { connectionsByFiles, limitConnections } from './connection-limit.ts'
import { createOriginCheck } from './http.ts'
import type { OutageLog } from './outage.ts'
import { createReadiness, type Pingable } from './readiness.ts'
import { createRoutes, type HttpParts } from './routes.ts'
import { headersOfAll } from './security-headers.ts'
import { createCookies } from './session-cookie.ts'
import { createSessions } from './sessions.ts'
import type { Admitted, Receiver } from './socket.ts'
import { type SocketStats, Sockets } from './socket-endpoint.ts'
import { loadStaticFiles } from './static-files.ts'
import { createUpgrade } from './upgrade.ts'
import { EXCLUSIVE_PORT, loadUws, type TemplatedApp } from './uws.ts'

export interface ServerOptions {
  readonly config: Config
  /** The dispatcher. */
  readonly dispatcher: Receiver
  readonly hub: Hub
  readonly gate: SessionGate
  /** `/readyz` asks these two. */
  readonly database: Pingable
  readonly bus: Pingable
  readonly log: OutageLog
  /** The id of this process in the cluster. */
  readonly node: string
  readonly version: string
  /** Where the built page is. */
  readonly webDir: string
  /** The text of `/metrics`, in the format of Prometheus. */
  readonly metrics?: () => Promise<string>
  /** Whether a user plays a live match: their dead connections are closed within 4 s. Default: nobody plays. */
  readonly isPlaying?: (userId: string) => boolean
}

/** The transport of one process: the WebSocket endpoint, the HTTP routes, and the page. */
export interface Server {
  /**
   * Begins to take clients.
   *
   * @throws Error when the native addon does not load or the port is taken.
   */
  listen(): Promise<{ readonly port: number; readonly url: string }>
  readonly stats: SocketStats
  /** From now on `/readyz` answers 503, so that proxies send no more clients here. Clients are served as before. */
  beginDraining(): void
  /** Closes the port, and refuses upgrades on open connections. Open sockets and requests go on. */
  stopAccepting(): void
  /** Lets closing sockets read to their end for a moment, then cuts all connections. */
  close(): Promise<void>
}

export function createServer(options: ServerOptions): Server {
  const { config, dispatcher, hub, gate, log } = options
  const { limits, heartbeatMs, trustedProxyHops } = config
  let app: TemplatedApp | null = null
  let connections: ReturnType<typeof limitConnections> | null = null
  let stopListening: (() => void) | null = null
  let port = config.port
  let isDraining = false
  let isClosing = false

  const cookies = createCookies(config.secrets.cookie, config.production)
  const isAllowedOrigin = createOriginCheck(config, () => port)
  const { admission } = dispatcher
  const sessions = createSessions({ gate, cookies, isAllowedOrigin, log })
  const always = headersOfAll(config.publicUrl)
  const parts: HttpParts = { admission, sessions, isAllowedOrigin, trustedProxyHops, always, log }
  const { node, version, isPlaying = () => false } = options
  const onGone = ({ caller }: Admitted) => {
    connections?.socketClosed()
    admission.socketClosed(caller.ip)
  }
  const given = { receiver: dispatcher, hub, limits, heartbeatMs, isPlaying, node, version }
  const sockets = new Sockets({ ...given, onGone, log })
  const upgrade = createUpgrade({ ...parts, isClosing: () => isClosing, onOpen: (admitted) => sockets.open(admitted) })

  return {
    async listen() {
      const uws = await loadUws()
      const own = uws.App()
      app = own
      const max = Math.min(config.maxConnections, await connectionsByFiles())
      // Behind a proxy the client's address is not known yet.
      const admits = (peer: string) => trustedProxyHops > 0 || admission.connection(peer) === 0
      connections = limitConnections(own, max, admits, log)
      sockets.attach(own, upgrade)
      hub.attach((topic, frame) => sockets.publish(topic, frame))
      const serveRequest = createRoutes({
        ...parts,
        serveFile: await loadStaticFiles(options.webDir, config.publicUrl),
        isDraining: () => isDraining,
        isReady: createReadiness(options.database, options.bus),
        metrics: options.metrics,
        metricsToken: config.metricsToken,
      })
      own.any('/*', serveRequest)
      port = await new Promise<number>((resolve, reject) => {
        own.listen(config.host, config.port, EXCLUSIVE_PORT, (token) => {
          if (token === false) {
            reject(new Error(`${config.host}:${config.port} is taken or not an address of this machine`))
            return
          }
          stopListening = () => uws.us_listen_socket_close(token)
          resolve(uws.us_socket_local_port(token))
        })
      })
      return { port, url: `http://${reachable(config.host)}:${port}` }
    },

    get stats() {
      return sockets.stats
    },

    beginDraining() {
      isDraining = true
    },

    stopAccepting() {
      this.beginDraining()
      isClosing = true
      stopListening?.()
      stopListening = null
    },

    async close() {
      this.stopAccepting()
      await sockets.finish()
      app?.close()
      app = null
    },
  }
}

/** The host for a URL: one cannot connect to an address that listens everywhere. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return isIPv6(host) ? `[${host}]` : host
}
