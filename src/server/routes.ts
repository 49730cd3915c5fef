import { type Admission, errorData } from '../rpc/index.ts'
import { isSameText } from '../signed-token.ts'
import { ORIGIN_REFUSED, type OriginCheck } from './cross-site.ts'
import { createDocumentRoutes, type Documents } from './document-routes.ts'
import type { Endpoint, Route } from './endpoint.ts'
import {
  bodyBytes,
  Exchange,
  framingProblem,
  type Proxies,
  type RequestObserver,
  readAddresses,
  readRequest,
} from './http.ts'
import { type BridgeOptions, createBridge } from './http-bridge.ts'
import { statusLine, statusOf } from './http-status.ts'
import { createModuleRoutes } from './module-routes.ts'
import type { OutageLog } from './outage.ts'
import type { Headers } from './security-headers.ts'
import { MAX_BODY_BYTES, type Sessions } from './sessions.ts'
import type { ServeFile } from './static-files.ts'
import { createStatusRoutes, type StatusOptions } from './status-routes.ts'
import type { HttpRequest, HttpResponse } from './uws.ts'

/** What every request is checked and answered with, the upgrades too. */
export interface HttpParts {
  readonly admission: Admission
  readonly sessions: Sessions
  readonly isAllowedOrigin: OriginCheck
  readonly proxies: Proxies
  /** The headers of every response. */
  readonly always: Headers
  /** Absent, it costs nothing. */
  readonly observer?: RequestObserver | undefined
  readonly log: OutageLog
}

interface RoutesOptions extends HttpParts, BridgeOptions {
  readonly serveFile: ServeFile
  readonly status: StatusOptions
  readonly metricsToken: string | undefined
  readonly documents: Documents
}

/** Answers every HTTP request but the upgrades. */
export function createRoutes(options: RoutesOptions): (res: HttpResponse, req: HttpRequest) => void {
  const { admission, sessions, log, proxies, always, observer } = options

  const status = createStatusRoutes(options.status)
  /** Without a token nobody sees metrics here, and nobody learns that there are some. */
  const showMetrics: Route = (exchange, request) => {
    const { metricsToken } = options
    if (metricsToken === undefined) return exchange.error('404 Not Found', 'NOT_FOUND', 'There is nothing here')
    if (isSameText(request.authorization, `Bearer ${metricsToken}`)) return status['/metrics'].get(exchange, request)
    const challenge = { 'WWW-Authenticate': 'Bearer' }
    exchange.error('401 Unauthorized', 'UNAUTHENTICATED', 'Metrics need their token', challenge)
  }
  /** Tells clients why their upgrade would be refused, for its origin or its token: their WebSocket may not tell them. */
  const upgradeRequired: Route = async (exchange, request) => {
    const headers = { 'Access-Control-Allow-Origin': '*' }
    if (!options.isAllowedOrigin(request.origin)) {
      exchange.error('403 Forbidden', 'FORBIDDEN', ORIGIN_REFUSED, headers)
      return
    }
    const refusal = await sessions.refusalOfToken(request)
    if (refusal) exchange.error(statusLine(statusOf(refusal.code)), refusal.code, errorData(refusal), headers)
    else {
      const upgrade = { ...headers, Upgrade: 'websocket' }
      exchange.error('426 Upgrade Required', 'BAD_ENVELOPE', 'This is a WebSocket', upgrade)
    }
  }
  const exact = new Map(
    Object.entries({
      ...status,
      '/metrics': { get: showMetrics },
      '/session': { post: sessions.post, delete: sessions.delete, options: sessions.options },
      '/ws': { get: upgradeRequired, post: upgradeRequired },
    }).map(([name, methods]): [string, Endpoint] => {
      return [name, { name, methods, postBytes: name === '/session' ? MAX_BODY_BYTES : 0, isStatus: name in status }]
    }),
  )
  for (const [path, endpoint] of createDocumentRoutes(options.documents)) exact.set(path, endpoint)
  const page: Endpoint = { name: 'page', methods: { get: options.serveFile } }
  const bridge = createBridge(options)
  const ofModules = createModuleRoutes(options, bridge)
  const endpointOf = (path: string): Endpoint =>
    exact.get(path) ?? bridge.endpointOf(path) ?? ofModules.endpointOf(path) ?? page

  return (res, req) => {
    const addresses = readAddresses(res, req, proxies)
    const exchange = new Exchange(res, req.getMethod(), always)
    const declaredBytes = bodyBytes(req)
    const waitMs = admission.http(addresses.ip, Math.min(declaredBytes, bridge.maxBodyBytes))
    if (waitMs > 0) {
      const message = 'Too many requests from this address'
      exchange.refuse('429 Too Many Requests', 'RATE_LIMITED', { message, retryAfterMs: Math.ceil(waitMs) })
      return
    }
    const request = readRequest(req, addresses)
    const { method, path } = request
    const problem = framingProblem(req)
    if (problem) {
      exchange.refuse(problem.status, 'BAD_ENVELOPE', problem.message)
      return
    }
    const { name, methods, missing, postBytes = 0, isStatus = false } = endpointOf(path)
    // Nothing reads the body of a request that is refused here.
    const refuse = declaredBytes > 0 ? exchange.refuse : exchange.error
    if (missing) {
      refuse.call(exchange, '404 Not Found', missing.code, missing.message)
      return
    }
    const verb = method === 'head' ? 'get' : method
    const route = Object.hasOwn(methods, verb) ? methods[verb] : undefined
    if (!route) {
      const allowed = Object.keys(methods).flatMap((each) => (each === 'get' ? ['GET', 'HEAD'] : [each.toUpperCase()]))
      const headers = { Allow: allowed.join(', ') }
      refuse.call(exchange, '405 Method Not Allowed', 'NOT_FOUND', 'Not this method', headers)
      return
    }
    const isBare = method !== 'post' || postBytes === 0
    if (isBare ? declaredBytes > 0 : declaredBytes > postBytes) {
      const message = isBare ? 'No body is taken here' : `The body is over ${postBytes} bytes`
      exchange.refuse('413 Content Too Large', 'VALIDATION_FAILED', message)
      return
    }
    const failed = (error: unknown): void => {
      log.error({ err: error, route: name }, 'a request failed')
      exchange.error('500 Internal Server Error', 'INTERNAL', 'Something went wrong on the server')
    }
    const serve = (): void => {
      try {
        route(exchange, request)?.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
    if (!observer || isStatus) {
      serve()
      return
    }
    observer.request(name, method, (answered) => {
      exchange.onAnswered = answered
      serve()
    })
  }
}
