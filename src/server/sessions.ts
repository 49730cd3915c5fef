import { randomUUID } from 'node:crypto'
import { DeadlineError, withDeadline } from '../deadline.ts'
import {
  type Admission,
  type Caller,
  errorData,
  GATE_DEADLINE_MS,
  RpcError,
  type SessionGate,
  type SignedIn,
  type TokenGate,
} from '../rpc/index.ts'
import { answerPreflight, corsHeaders, ORIGIN_REFUSED, type OriginCheck } from './cross-site.ts'
import { BODY_DEADLINE_MS, bodyProblems, type Exchange, type Request, readBody, type Sender } from './http.ts'
import { statusLine, statusOf } from './http-status.ts'
import { Outage, type OutageLog } from './outage.ts'
import { ProvenTokens } from './proven-tokens.ts'
import type { Headers } from './security-headers.ts'
import type { Cookies, Device, SessionClaims } from './session-cookie.ts'

/** Bytes of the body of `POST /session`. The connection of a client that sends more is closed. */
export const MAX_BODY_BYTES = 4096
const MAX_TICKET = 2048
const RETRY_MS = 1_000
/** Questions to the gate that may be open at once. */
const MAX_ASKING = 2_000

/** Who sent a request. */
export interface Identity {
  readonly caller: Caller
  /** The answer sets it: the session cookie renewed, or cleared because it proves nothing. */
  readonly setCookie: string | undefined
  /** What the user is told when the session or the token is refused because they are banned. */
  readonly ban?: string
}

interface SessionsOptions {
  readonly gate: SessionGate
  readonly tokens: TokenGate | undefined
  readonly admission: Pick<Admission, 'token' | 'wrongToken'>
  readonly cookies: Cookies
  readonly isAllowedOrigin: OriginCheck
  readonly log: OutageLog
}

/** Finds out who sent a request by its token or cookies, and serves the route that sets and clears the session cookie. */
export function createSessions({ gate, tokens, admission, cookies, isAllowedOrigin, log }: SessionsOptions) {
  const outage = new Outage('sessions cannot be looked up or changed', log)
  let asking = 0
  const isBusy = () => asking >= MAX_ASKING
  /** A question counts until it is really over, late or not. */
  const ask = <T>(question: () => Promise<T>): Promise<T> => {
    asking++
    const answer = question().finally(() => asking--)
    return withDeadline(answer, GATE_DEADLINE_MS)
  }

  /** The answer of a gate, or the ban that it refused. @throws RpcError UNAVAILABLE */
  const lookUp = async <T>(question: () => Promise<T>): Promise<T | { readonly ban: string }> => {
    try {
      const found = await ask(question)
      outage.succeeded()
      return found
    } catch (error) {
      if (error instanceof RpcError && error.code === 'BANNED') return { ban: error.message }
      outage.failed(error)
      throw new RpcError('UNAVAILABLE', 'Nobody can be signed in now', { retryAfterMs: RETRY_MS })
    }
  }
  const bySession = async (sender: Sender, session: SessionClaims, device: Device | null): Promise<Identity> => {
    const { sessionId, userId, isAging } = session
    const found = await lookUp(() => (isAging ? gate.extend(sessionId, userId) : gate.resume(sessionId, userId)))
    if (found === null || 'ban' in found) {
      return { ...found, caller: callerOf(sender, null, device), setCookie: cookies.clearedSession }
    }
    const setCookie = isAging ? cookies.session(userId, sessionId, found.expiresAt) : undefined
    return { caller: callerOf(sender, found, device), setCookie }
  }
  /** @throws RpcError UNAVAILABLE when the gate does not answer in time */
  const byCookies = (sender: Sender): Identity | Promise<Identity> => {
    const { session, device, isBad } = cookies.read(sender.cookie)
    if (session) return bySession(sender, session, device)
    return { caller: callerOf(sender, null, device), setCookie: isBad ? cookies.clearedSession : undefined }
  }
  const provenTokens = new ProvenTokens()
  /** Of an address with many wrong tokens none is looked up but those that were right a moment ago. */
  const byToken = async (sender: Sender, token: string): Promise<Identity> => {
    const { ip, userAgent } = sender
    const hash = tokens?.hashOf(token) ?? null
    if (!tokens || hash === null) throw unknownToken()
    const waitMs = provenTokens.has(hash) ? 0 : admission.token(ip)
    if (waitMs > 0) {
      throw new RpcError('RATE_LIMITED', 'Too many wrong tokens came from this address', { retryAfterMs: waitMs })
    }
    const found = await lookUp(() => tokens.identify(token))
    if (found === null) {
      provenTokens.delete(hash)
      admission.wrongToken(ip)
      throw unknownToken()
    }
    provenTokens.add(hash)
    if ('ban' in found) return { ...found, caller: callerOf(sender, null, null), setCookie: undefined }
    return { caller: { ...found, sessionId: null, ip, userAgent, device: null }, setCookie: undefined }
  }
  /**
   * Finds out who sent a request: by its token, if it has one, else by its cookies. Answers at once without either of them, or
   * with a cookie that was not signed here. Otherwise it asks a gate.
   *
   * @throws RpcError UNAVAILABLE when the gate does not answer in time; UNAUTHENTICATED, RATE_LIMITED for a wrong token
   */
  const identify = (sender: Sender): Identity | Promise<Identity> => {
    const token = tokenOf(sender)
    return token === null ? byCookies(sender) : byToken(sender, token)
  }

  /** Why a socket with this token would be refused; null if it would not, or there is no token. */
  const refusalOfToken = async (sender: Sender): Promise<RpcError | null> => {
    const token = tokenOf(sender)
    if (token === null || isBusy()) return null
    try {
      await byToken(sender, token)
      return null
    } catch (error) {
      if (error instanceof RpcError) return error
      throw error
    }
  }

  /** False when the request has been refused. */
  const admits = (exchange: Exchange, { origin, method }: Request): boolean => {
    const isAllowed = isAllowedOrigin(origin)
    const data = { message: 'Too much is going on', retryAfterMs: RETRY_MS }
    if (!isAllowed) exchange.error('403 Forbidden', 'FORBIDDEN', ORIGIN_REFUSED)
    else if (method !== 'options' && isBusy()) exchange.error('503 Service Unavailable', 'UNAVAILABLE', data)
    else return true
    return false
  }
  const fail = (exchange: Exchange, error: unknown, headers: Headers): void => {
    const isExpected = error instanceof RpcError && error.code !== 'INTERNAL'
    if (!isExpected || error.code === 'UNAVAILABLE') outage.failed(error)
    if (isExpected) {
      exchange.error(statusLine(statusOf(error.code)), error.code, errorData(error), headers)
    } else if (error instanceof DeadlineError) {
      exchange.error('503 Service Unavailable', 'UNAVAILABLE', 'The database does not answer', headers)
    } else exchange.error('500 Internal Server Error', 'INTERNAL', 'Something went wrong on the server', headers)
  }

  return {
    /** So many questions to the gate are open that no more are asked. */
    isBusy,
    identify,
    refusalOfToken,

    /** `POST /session { token }`: exchanges a ticket for the session cookie. */
    async post(exchange: Exchange, request: Request): Promise<void> {
      // The body must be read before the first await.
      const reading = readBody(exchange, MAX_BODY_BYTES, BODY_DEADLINE_MS)
      if (!admits(exchange, request)) return
      const cors = corsHeaders(request.origin)
      if (!/^application\/json\b/i.test(request.contentType)) {
        exchange.error('415 Unsupported Media Type', 'VALIDATION_FAILED', 'JSON is needed', cors)
        return
      }
      const body = await reading
      if (body === 'aborted') return
      if (typeof body === 'string') {
        const [status, code, message] = bodyProblems[body]
        exchange.error(status, code, message, cors, true)
        return
      }
      const ticket = readTicket(body.text)
      if (ticket === undefined) {
        exchange.error('400 Bad Request', 'VALIDATION_FAILED', 'token: a string is needed', cors)
        return
      }
      try {
        const { device, session: former } = cookies.read(request.cookie)
        const { user, sessionId, expiresAt } = await ask(() => gate.redeem(ticket, request))
        outage.succeeded()
        // Nobody would have its cookie any more.
        if (former) ask(() => gate.end(former.sessionId, former.userId)).catch((error) => outage.failed(error))
        const users = [user.id, ...(device?.users ?? []).filter((id) => id !== user.id)]
        const session = cookies.session(user.id, sessionId, expiresAt)
        const seen = cookies.device({ id: device?.id ?? randomUUID(), users })
        exchange.json('200 OK', {}, { ...cors, 'Set-Cookie': [session, seen] })
      } catch (error) {
        fail(exchange, error, cors)
      }
    },

    /** `DELETE /session`: signs this browser out. */
    async delete(exchange: Exchange, request: Request): Promise<void> {
      if (!admits(exchange, request)) return
      const cors = corsHeaders(request.origin)
      try {
        const { user, sessionId } = (await byCookies(request)).caller
        if (user && sessionId) await ask(() => gate.end(sessionId, user.id))
        exchange.json('200 OK', {}, { ...cors, 'Set-Cookie': cookies.clearedSession })
      } catch (error) {
        fail(exchange, error, cors)
      }
    },

    /** Answers the preflight request of a page on another origin. */
    options(exchange: Exchange, request: Request): void {
      if (!admits(exchange, request)) return
      answerPreflight(exchange, request, 'POST, DELETE', 'Content-Type')
    },
  }
}

export type Sessions = ReturnType<typeof createSessions>

function unknownToken(): RpcError {
  return new RpcError('UNAUTHENTICATED', 'This token is unknown, or has expired or been revoked')
}

/** The token of a program: `Authorization: Bearer <token>`, or `X-API-Key`. */
function tokenOf({ authorization, apiKey }: Sender): string | null {
  if (/^bearer /i.test(authorization)) return authorization.slice('bearer '.length).trim()
  return apiKey === '' ? null : apiKey
}

function callerOf({ ip, userAgent }: Sender, signedIn: SignedIn | null, device: Device | null): Caller {
  return { user: signedIn?.user ?? null, sessionId: signedIn?.sessionId ?? null, token: null, ip, userAgent, device }
}

function readTicket(text: string): string | undefined {
  try {
    const token: unknown = JSON.parse(text)?.token
    return typeof token === 'string' && token.length > 0 && token.length <= MAX_TICKET ? token : undefined
  } catch {
    return undefined
  }
}
