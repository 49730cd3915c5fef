import { PROTOCOL } from '../protocol/index.ts'
import { addressGroup, type Caller } from '../rpc/index.ts'
import { DeadlineError, type Gauge } from './deadline.ts'
import { Exchange, type Headers, readRequest, writeHeaders } from './http.ts'
import type { OriginCheck } from './origin.ts'
import type { Cookies, ReadCookies } from './session-cookie.ts'
import { GATE_DEADLINE_MS, type SessionGate, type SignedIn } from './session-gate.ts'
import type { Socket } from './socket.ts'
import type { HttpRequest, HttpResponse, us_socket_context_t } from './uws.ts'

/** A client that may open its socket, as the upgrade found it out. */
export interface Admission {
  readonly caller: Caller
  /** What the bound on sockets counts this one under. */
  readonly group: string
  /** It speaks other sub-protocols than ours. */
  readonly isForeign: boolean
}

/** What uWebSockets.js keeps with each socket. */
export interface UserData {
  readonly admission: Admission
  socket: Socket | null
}

interface UpgradeOptions {
  readonly gate: SessionGate
  readonly cookies: Cookies
  readonly isAllowedOrigin: OriginCheck
  readonly lookups: Gauge
  readonly perAddress: Tally
  readonly trustedProxyHops: number
  readonly isDraining: () => boolean
  /** Runs `work` while an open socket holds the cork; false when there is none. */
  readonly corked: (work: () => void) => boolean
  readonly log: { error(details: object, message: string): void }
}

const TOO_MANY_RETRY_MS = 5_000

/** Counts by key, up to a bound each. Keys without a count are forgotten. */
export class Tally {
  readonly #max: number
  readonly #counts = new Map<string, number>()

  constructor(max: number) {
    this.#max = max
  }

  take(key: string): boolean {
    const count = this.#counts.get(key) ?? 0
    if (count >= this.#max) return false
    this.#counts.set(key, count + 1)
    return true
  }

  release(key: string): void {
    const count = this.#counts.get(key) ?? 0
    if (count <= 1) this.#counts.delete(key)
    else this.#counts.set(key, count - 1)
  }
}

export type Upgrade = (res: HttpResponse, req: HttpRequest, context: us_socket_context_t) => void

/**
 * Decides who may open a socket: the origin first, as it costs nothing; then whether this node takes more; then, with a
 * deadline, who the cookie says it is. A cookie that proves nothing is cleared and its socket opens signed out.
 */
export function createUpgrade(options: UpgradeOptions): Upgrade {
  const { perAddress, lookups, corked, log } = options

  const identify = async ({ session }: ReadCookies): Promise<SignedIn | null> => {
    if (!session) return null
    const { sessionId, userId, isAging } = session
    const lookup = isAging ? options.gate.extend : options.gate.resume
    return lookups.run(() => lookup.call(options.gate, sessionId, userId), GATE_DEADLINE_MS)
  }

  const admit = async (exchange: Exchange, handshake: Handshake, group: string): Promise<boolean> => {
    const { ip, userAgent, cookie } = exchange.request
    const read = options.cookies.read(cookie)
    const signedIn = await identify(read)
    const caller: Caller = {
      user: signedIn?.user ?? null,
      sessionId: signedIn?.sessionId ?? null,
      ip,
      userAgent,
      device: read.device,
    }
    const setCookie = await renewal(read, signedIn)
    // The node may have begun to leave meanwhile.
    if (options.isDraining()) {
      unavailable(exchange)
      return false
    }
    const admission = { caller, group, isForeign: handshake.isForeign }
    return upgrade(exchange, handshake, admission, setCookie, corked)
  }

  const renewal = async (read: ReadCookies, signedIn: SignedIn | null): Promise<Headers> => {
    if (signedIn && read.session?.isAging) {
      const { user, sessionId, expiresAt } = signedIn
      return { 'Set-Cookie': await options.cookies.session(user.id, sessionId, expiresAt) }
    }
    const isStale = read.isBad || (read.session !== null && signedIn === null)
    return isStale ? { 'Set-Cookie': options.cookies.clearedSession } : {}
  }

  return (res, req, context) => {
    const exchange = new Exchange(res, readRequest(res, req, options.trustedProxyHops))
    const handshake = readHandshake(req, context)
    if (!options.isAllowedOrigin(exchange.request.origin)) {
      exchange.error('403 Forbidden', 'FORBIDDEN', 'This origin is not allowed')
      return
    }
    if (options.isDraining() || lookups.isFull) {
      unavailable(exchange)
      return
    }
    const group = addressGroup(exchange.request.ip)
    if (!perAddress.take(group)) {
      const data = { message: 'Too many sockets from this address', retryAfterMs: TOO_MANY_RETRY_MS }
      const headers = { 'Retry-After': `${TOO_MANY_RETRY_MS / 1000}` }
      exchange.json('429 Too Many Requests', { error: 'RATE_LIMITED', data }, headers)
      return
    }
    const { ip, userAgent, cookie } = exchange.request
    if (cookie === '') {
      // Nobody to look up. Within this handler uWebSockets.js itself holds the cork.
      const caller = { user: null, sessionId: null, ip, userAgent, device: null }
      upgrade(exchange, handshake, { caller, group, isForeign: handshake.isForeign }, {}, atOnce)
      return
    }
    admit(exchange, handshake, group).then(
      (isOpen) => {
        if (!isOpen) perAddress.release(group)
      },
      (error: unknown) => {
        perAddress.release(group)
        log.error({ err: error, late: error instanceof DeadlineError }, 'a socket could not be opened')
        unavailable(exchange)
      },
    )
  }
}

function unavailable(exchange: Exchange): void {
  const headers = { 'Retry-After': '1' }
  exchange.error('503 Service Unavailable', 'UNAVAILABLE', 'This node cannot take sockets now', headers)
}

interface Handshake {
  readonly key: string
  /** The sub-protocol to answer with; empty when none was offered. */
  readonly protocol: string
  readonly isForeign: boolean
  readonly context: us_socket_context_t
}

/**
 * A client that offers other protocols than ours is answered with one of its own, because browsers take no other
 * answer for an opening, and only an open socket can be told why it is closed.
 */
function readHandshake(req: HttpRequest, context: us_socket_context_t): Handshake {
  const offered = req
    .getHeader('sec-websocket-protocol')
    .split(',')
    .flatMap((part) => part.trim() || [])
  const isForeign = offered.length > 0 && !offered.includes(PROTOCOL)
  const protocol = isForeign ? (offered[0] ?? '') : (offered.find((each) => each === PROTOCOL) ?? '')
  return { key: req.getHeader('sec-websocket-key'), protocol, isForeign, context }
}

function atOnce(work: () => void): boolean {
  work()
  return true
}

/** False when the client has left meanwhile. */
function upgrade(
  exchange: Exchange,
  handshake: Handshake,
  admission: Admission,
  headers: Headers,
  corked: UpgradeOptions['corked'],
): boolean {
  if (!exchange.take()) return false
  const { res } = exchange
  // A response that corks itself looks at its HTTP state once more after the handler. An upgrade has put a WebSocket
  // there by then, and one in some hundreds was cut for what looked like a flag (uWebSockets #1928). While another
  // socket holds the cork, it does not look. On a server without any it goes uncorked, of which the addon warns.
  const open = () => {
    if (Object.keys(headers).length > 0) {
      res.writeStatus('101 Switching Protocols')
      writeHeaders(res, headers)
    }
    const userData: UserData = { admission, socket: null }
    res.upgrade(userData, handshake.key, handshake.protocol, '', handshake.context)
  }
  if (!corked(() => res.cork(open))) open()
  return true
}
