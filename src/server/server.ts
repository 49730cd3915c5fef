import { isIPv6 } from 'node:net'
import type { Config } from '../config.ts'
import type { Hub } from '../rpc/index.ts'
import { Gauge, withDeadline } from './deadline.ts'
import { Exchange, readRequest } from './http.ts'
import { createOriginCheck } from './origin.ts'
import { createCookies } from './session-cookie.ts'
import type { SessionGate } from './session-gate.ts'
import { createSessionRoutes } from './session-routes.ts'
import type { Receiver } from './socket.ts'
import { type ReceiveBinary, type SocketStats, Sockets } from './sockets.ts'
import { loadStaticFiles, type StaticFiles } from './static-files.ts'
import { createUpgrade, Tally } from './upgrade.ts'
import { EXCLUSIVE_PORT, type HttpRequest, type HttpResponse, loadUws, type TemplatedApp } from './uws.ts'

export interface ServerOptions {
  readonly config: Config
  /** The dispatcher. */
  readonly dispatcher: Receiver
  readonly hub: Hub
  readonly gate: SessionGate
  /** Rejects when database or bus do not answer. Asked by `/readyz`, with a deadline. */
  readonly isReady: () => Promise<void>
  readonly log: { error(details: object, message: string): void }
  /** The id of this process in the cluster. */
  readonly node: string
  readonly version: string
  /** Where the built page is. */
  readonly webDir: string
  /** The text of `/metrics`, in the format of Prometheus. */
  readonly metrics?: () => Promise<string>
  readonly receiveBinary?: ReceiveBinary
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
  /** From now on there are no new connections, upgrades are refused and `/readyz` says 503. What is open goes on. */
  stopAccepting(): void
  /** Lets the sockets that are being closed read to their end for a moment, then cuts what is still open. */
  close(): Promise<void>
}

type Route = (exchange: Exchange) => void | Promise<void>
type Routes = Readonly<Record<string, Readonly<Record<string, Route>>>>

const READY_DEADLINE_MS = 2_000
/** Lookups of sessions that may wait for the database at once. */
const MAX_LOOKUPS = 2_000
const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export function createServer(options: ServerOptions): Server {
  const { config, dispatcher, hub, gate, log } = options
  const { limits, heartbeatMs, trustedProxyHops } = config
  let app: TemplatedApp | null = null
  let stopListening: (() => void) | null = null
  let files: StaticFiles | null = null
  let port = config.port
  let isDraining = false

  const cookies = createCookies(config.secrets.cookie, config.production)
  const isAllowedOrigin = createOriginCheck(config, () => port)
  const lookups = new Gauge(MAX_LOOKUPS)
  const perAddress = new Tally(limits.socketsPerIp)
  const shared = { gate, cookies, isAllowedOrigin, lookups, log }
  const session = createSessionRoutes(shared)
  const upgrade = createUpgrade({
    ...shared,
    perAddress,
    trustedProxyHops,
    isDraining: () => isDraining,
    corked: (work) => sockets.corked(work),
  })
  const sockets: Sockets = new Sockets({
    receiver: dispatcher,
    hub,
    limits,
    heartbeatMs,
    node: options.node,
    version: options.version,
    perAddress,
    receiveBinary: options.receiveBinary,
    log,
  })

  let asking: Promise<boolean> | null = null
  /** Asked once at a time, as anybody may ask for it and the answer costs a connection to the database. */
  const isReady = (): Promise<boolean> => {
    asking ??= answersInTime(options.isReady).finally(() => {
      asking = null
    })
    return asking
  }
  const readyz: Route = async (exchange) => {
    if (!isDraining && (await isReady())) exchange.json('200 OK', { status: 'ready' })
    else exchange.json('503 Service Unavailable', { status: isDraining ? 'draining' : 'unavailable' })
  }
  const metrics: Route = async (exchange) => {
    if (!options.metrics) exchange.error('404 Not Found', 'NOT_FOUND', 'There is nothing here')
    else
      exchange.reply('200 OK', { 'Content-Type': METRICS_TYPE, 'Cache-Control': 'no-store' }, await options.metrics())
  }
  const routes: Routes = {
    '/healthz': { get: (exchange) => exchange.json('200 OK', { status: 'ok' }) },
    '/readyz': { get: readyz },
    '/metrics': { get: metrics },
    '/session': { post: session.post, delete: session.delete, options: session.options },
    '/ws': {
      get: (exchange) =>
        exchange.error('426 Upgrade Required', 'BAD_ENVELOPE', 'This is a WebSocket', { Upgrade: 'websocket' }),
    },
  }
  const page: Readonly<Record<string, Route>> = { get: (exchange) => files?.serve(exchange) }

  const answer = (res: HttpResponse, req: HttpRequest): void => {
    const exchange = new Exchange(res, readRequest(res, req, trustedProxyHops))
    const { method, path } = exchange.request
    const methods = Object.hasOwn(routes, path) ? (routes[path] ?? page) : page
    const route = methods[method === 'head' ? 'get' : method]
    if (!route) {
      const allowed = Object.keys(methods).flatMap((each) => (each === 'get' ? ['GET', 'HEAD'] : [each.toUpperCase()]))
      exchange.error('405 Method Not Allowed', 'NOT_FOUND', 'Not this method', { Allow: allowed.join(', ') })
      return
    }
    const failed = (error: unknown): void => {
      log.error({ err: error, path }, 'a request failed')
      exchange.error('500 Internal Server Error', 'INTERNAL', 'Something went wrong on the server')
    }
    try {
      route(exchange)?.catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  return {
    async listen() {
      const uws = await loadUws()
      files = await loadStaticFiles(options.webDir, config.publicUrl)
      const own = uws.App()
      app = own
      sockets.attach(own, upgrade)
      hub.attach((topic, frame) => sockets.publish(topic, frame))
      own.any('/*', answer)
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

    stopAccepting() {
      isDraining = true
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

async function answersInTime(isReady: () => Promise<void>): Promise<boolean> {
  try {
    await withDeadline(isReady(), READY_DEADLINE_MS)
    return true
  } catch {
    return false
  }
}

/** A host to put into a URL: an address that listens everywhere is none to connect to. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return isIPv6(host) ? `[${host}]` : host
}
