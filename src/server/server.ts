import type { Config } from '../config.ts'
import type { Caller, Hub, SessionGate, TokenGate } from '../rpc/index.ts'
import { AdminPort } from './admin-port.ts'
import { connectionsByFiles, limitConnections } from './connection-limit.ts'
import { createOriginCheck } from './cross-site.ts'
import type { Documents } from './document-routes.ts'
import type { Proxies, RequestObserver } from './http.ts'
import { type Listening, listen } from './listen.ts'
import type { OutageLog } from './outage.ts'
import { createReadiness, type Pingable } from './readiness.ts'
import { createRoutes, type HttpParts } from './routes.ts'
import { headersOfAll } from './security-headers.ts'
import { createCookies } from './session-cookie.ts'
import { createSessions } from './sessions.ts'
import type { Admitted, Receiver } from './socket.ts'
import { type SocketStats, Sockets } from './socket-endpoint.ts'
import { loadStaticFiles } from './static-files.ts'
import { createStatusRoutes } from './status-routes.ts'
import { createProxyCheck } from './trusted-proxies.ts'
import { createUpgrade } from './upgrade.ts'
import { loadUws, type TemplatedApp } from './uws.ts'

export interface ServerOptions {
  readonly config: Config
  /** The dispatcher. */
  readonly dispatcher: Receiver
  readonly hub: Hub
  readonly gate: SessionGate
  /** Absent, no request has a token. */
  readonly tokens?: TokenGate | undefined
  /** `/readyz` asks these two. */
  readonly database: Pingable
  readonly bus: Pingable
  /** Is told of HTTP requests and upgrades. */
  readonly observer?: RequestObserver | undefined
  readonly log: OutageLog
  /** The id of this process in the cluster. */
  readonly node: string
  readonly version: string
  /** Where the built page is. */
  readonly webDir: string
  /** What describes the server to tools. */
  readonly documents?: Documents
  /** The text of `/metrics`, in the format of Prometheus. */
  readonly metrics?: () => Promise<string>
  /** Whether a user plays a live match: their dead connections are closed within 4 s. Default: nobody plays. */
  readonly isPlaying?: (userId: string) => boolean
}

/** Where a server can be reached. */
export interface Addresses extends Pick<Listening, 'port' | 'url'> {
  /** Undefined when there is no admin port. */
  readonly adminUrl: string | undefined
}

/** The transport of one process: the WebSocket endpoint, the HTTP routes, and the page. */
export interface Server {
  /**
   * Begins to take clients.
   *
   * @throws Error when the native addon does not load or a port is taken.
   */
  listen(): Promise<Addresses>
  readonly stats: SocketStats
  /** Connections that were cut at once since the start, because too many were open. */
  readonly connectionsRefused: number
  /** Whether database and bus answer. */
  isReady(): Promise<boolean>
  /** From now on `/readyz` answers 503, so that proxies send no more clients here. Clients are served as before. */
  beginDraining(): void
  /** From now on upgrades are refused, but those of callers whom `accepts` names. The port stays open. */
  refuseSockets(accepts: (caller: Caller) => boolean): void
  /** Closes the port, and refuses upgrades on open connections. Open sockets and requests go on. */
  stopAccepting(): void
  /** Lets closing sockets read to their end for a moment, then cuts all connections. */
  close(): Promise<void>
}

export function createServer(options: ServerOptions): Server {
  const { config, dispatcher, hub, gate, tokens, log } = options
  const { limits, heartbeatMs } = config
  let app: TemplatedApp | null = null
  let connections: ReturnType<typeof limitConnections> | null = null
  let stopListening: (() => void) | null = null
  let port = config.port
  let isDraining = false
  let isClosing = false
  let accepts = (_caller: Caller): boolean => true

  const cookies = createCookies(config.secrets.cookie, config.production)
  const isAllowedOrigin = createOriginCheck(config, () => port)
  const { admission } = dispatcher
  const sessions = createSessions({ gate, tokens, admission, cookies, isAllowedOrigin, log })
  const always = headersOfAll(config.publicUrl)
  const hops = config.trustedProxyHops
  const proxies: Proxies = { hops, isTrusted: createProxyCheck(hops, config.trustedProxies) }
  const parts: HttpParts = { admission, sessions, isAllowedOrigin, proxies, always, observer: options.observer, log }
  const { node, version, isPlaying = () => false } = options
  const onGone = ({ caller }: Admitted) => {
    connections?.socketClosed()
    admission.socketClosed(caller.ip)
  }
  const given = { receiver: dispatcher, hub, limits, heartbeatMs, isPlaying, node, version }
  const sockets = new Sockets({ ...given, onGone, log })
  const isReady = createReadiness(options.database, options.bus)
  const status = { isDraining: () => isDraining, isReady, metrics: options.metrics }
  const { adminHost, adminPort } = config
  const admin =
    adminPort === undefined
      ? null
      : new AdminPort({ host: adminHost, port: adminPort, routes: createStatusRoutes(status), always, log })
  const upgrade = createUpgrade({
    ...parts,
    isClosing: () => isClosing,
    accepts: (caller) => accepts(caller),
    onOpen: (admitted) => sockets.open(admitted),
  })

  return {
    async listen() {
      const uws = await loadUws()
      const own = uws.App()
      app = own
      const max = Math.min(config.maxConnections, await connectionsByFiles())
      // Behind a proxy the client's address is not known yet.
      const admits = (peer: string) => proxies.isTrusted(peer) || admission.connection(peer) === 0
      connections = limitConnections(own, max, admits, log)
      sockets.attach(own, upgrade)
      hub.attach((topic, frame, joined) => sockets.publish(topic, frame, joined))
      const serveRequest = createRoutes({
        ...parts,
        receiver: dispatcher,
        limits,
        serveFile: await loadStaticFiles(options.webDir, config.publicUrl),
        status,
        metricsToken: config.metricsToken,
        documents: options.documents ?? {},
      })
      own.any('/*', serveRequest)
      const listening = await listen(uws, own, config.host, config.port)
      stopListening = listening.stop
      port = listening.port
      return { port, url: listening.url, adminUrl: (await admin?.listen(uws))?.url }
    },

    get stats() {
      return sockets.stats
    },

    get connectionsRefused() {
      return connections?.refused ?? 0
    },

    isReady,

    beginDraining() {
      isDraining = true
    },

    refuseSockets(except) {
      accepts = except
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
      admin?.close()
      app?.close()
      app = null
    },
  }
}
