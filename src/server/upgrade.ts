import { closeCodes, closeReason, PROTOCOL } from '../protocol/index.ts'
import { type Caller, errorData, RpcError } from '../rpc/index.ts'
import { ORIGIN_REFUSED } from './cross-site.ts'
import { Exchange, framingProblem, readAddresses, readSender } from './http.ts'
import type { HttpParts } from './routes.ts'
import type { Identity } from './sessions.ts'
import type { Admitted, Refusal, UserData } from './socket.ts'
import type { HttpRequest, HttpResponse, us_socket_context_t } from './uws.ts'

interface UpgradeOptions extends HttpParts {
  readonly isClosing: () => boolean
  /** Whether this node takes a socket of this caller now. */
  readonly accepts: (caller: Caller) => boolean
  /** Begins to serve a socket that has just been upgraded. */
  readonly onOpen: (admitted: Admitted) => void
}

const TOO_MANY_RETRY_MS = 5_000
const UNAVAILABLE_RETRY_MS = 1_000
/** Each refused origin is logged once in this time, and at most so many origins. */
const ORIGIN_LOG_MS = 3_600_000
const MAX_ORIGINS_LOGGED = 100
const MAX_ORIGIN_LOGGED = 200

export type Upgrade = (res: HttpResponse, req: HttpRequest, context: us_socket_context_t) => void

/**
 * Decides who may open a socket. It checks the cheap things first: the address and the origin, then whether this node takes
 * more sockets, then the token or the cookie. An invalid cookie is cleared, and its socket opens signed out. A program with an
 * invalid token is refused.
 */
export function createUpgrade(options: UpgradeOptions): Upgrade {
  const { admission, sessions, isClosing, accepts, onOpen, observer, log } = options

  const logged = new Set<string>()
  let loggedSince = performance.now()
  const logRefusedOrigin = (origin: string): void => {
    if (performance.now() - loggedSince > ORIGIN_LOG_MS) {
      logged.clear()
      loggedSince = performance.now()
    }
    const name = origin.slice(0, MAX_ORIGIN_LOGGED)
    if (logged.size >= MAX_ORIGINS_LOGGED || logged.has(name)) return
    logged.add(name)
    log.info({ origin: name }, 'refused a socket: its origin is not in ALLOWED_ORIGINS')
  }

  return (res, req, context) => {
    const exchange = new Exchange(res, 'get', options.always)
    const addresses = readAddresses(res, req, options.proxies)
    const waitMs = admission.upgrade(addresses.ip)
    if (waitMs > 0) {
      tooMany(exchange, 'Too many sockets are opened from this address', waitMs)
      return
    }
    const problem = framingProblem(req)
    if (problem) {
      exchange.refuse(problem.status, 'BAD_ENVELOPE', problem.message)
      return
    }
    const sender = readSender(req, addresses)
    if (!options.isAllowedOrigin(sender.origin)) {
      logRefusedOrigin(sender.origin)
      exchange.error('403 Forbidden', 'FORBIDDEN', ORIGIN_REFUSED)
      return
    }
    if (isClosing() || sessions.isBusy()) {
      unavailable(exchange)
      return
    }
    if (!admission.socketOpened(addresses.ip)) {
      tooMany(exchange, 'Too many sockets are open from this address', TOO_MANY_RETRY_MS)
      return
    }
    const key = req.getHeader('sec-websocket-key')
    const { protocol, isForeign } = readProtocol(req)
    const refuse = (error?: unknown): void => {
      admission.socketClosed(addresses.ip)
      const code = error instanceof RpcError ? error.code : undefined
      if (error instanceof RpcError && code === 'UNAUTHENTICATED') {
        exchange.error('401 Unauthorized', code, errorData(error), { 'WWW-Authenticate': 'Bearer' })
      } else if (error instanceof RpcError && code === 'RATE_LIMITED') {
        tooMany(exchange, error.message, error.retryAfterMs ?? UNAVAILABLE_RETRY_MS)
      } else unavailable(exchange)
    }
    const open = ({ caller, setCookie, ban }: Identity): void => {
      // The client may have left meanwhile, or this node may have begun to.
      if (isClosing() || !accepts(caller) || !exchange.take()) {
        refuse()
        return
      }
      const refusal = isForeign
        ? NOT_OUR_PROTOCOL
        : ban === undefined
          ? null
          : { code: closeCodes.banned, reason: closeReason(ban) }
      const userData: UserData = { admitted: { caller, refusal, ws: null, socket: null } }
      // Do nothing else within the cork. When it ends outside of a request handler, uWebSockets.js reads the response's flags
      // in memory that the upgrade has freed (uWebSockets #1928). If that was allocated again, the new socket may be cut.
      res.cork(() => {
        if (setCookie !== undefined) {
          res.writeStatus('101 Switching Protocols')
          res.writeHeader('Set-Cookie', setCookie)
        }
        res.upgrade(userData, key, protocol, '', context)
      })
      exchange.onAnswered?.('101')
      onOpen(userData.admitted)
    }
    const failed = (error: unknown): void => log.error({ err: error }, 'a socket could not be opened')
    const identify = (): void => {
      const found = sessions.identify(sender)
      if (found instanceof Promise) found.then(open, refuse).catch(failed)
      else open(found)
    }
    if (!observer) {
      identify()
      return
    }
    observer.request('/ws', 'get', (answered) => {
      exchange.onAnswered = answered
      identify()
    })
  }
}

const NOT_OUR_PROTOCOL: Refusal = { code: closeCodes.notOurProtocol, reason: 'not our protocol' }

function tooMany(exchange: Exchange, message: string, retryAfterMs: number): void {
  exchange.refuse('429 Too Many Requests', 'RATE_LIMITED', { message, retryAfterMs: Math.ceil(retryAfterMs) })
}

function unavailable(exchange: Exchange): void {
  const data = { message: 'This node cannot take sockets now', retryAfterMs: UNAVAILABLE_RETRY_MS }
  exchange.error('503 Service Unavailable', 'UNAVAILABLE', data)
}

/**
 * A client that offers only other protocols is answered with one of those: browsers refuse any other answer, and only an open
 * socket can be told why it is closed. The protocol is empty when none was offered.
 */
function readProtocol(req: HttpRequest): { readonly protocol: string; readonly isForeign: boolean } {
  const offered = req.getHeader('sec-websocket-protocol')
  if (offered === PROTOCOL || offered === '') return { protocol: offered, isForeign: false }
  const protocols = offered.split(',').flatMap((part) => part.trim() || [])
  const isForeign = protocols.length > 0 && !protocols.includes(PROTOCOL)
  return { protocol: isForeign ? (protocols[0] ?? '') : PROTOCOL, isForeign }
}
