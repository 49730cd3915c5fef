import { randomUUID } from 'node:crypto'
import { DeadlineError } from '../deadline.ts'
import { errorData, GATE_DEADLINE_MS, RpcError, type SessionGate } from '../rpc/index.ts'
import type { OriginCheck } from './http.ts'
import { type Exchange, type Headers, type Request, readBody } from './http.ts'
import type { Identify } from './identity.ts'
import type { Outage } from './outage.ts'
import type { Cookies } from './session-cookie.ts'
import type { Gauge } from './session-lookups.ts'

/** Of a request that may have a body at all; the connection of a larger one ends. */
export const MAX_BODY_BYTES = 4096
const BODY_DEADLINE_MS = 10_000
const MAX_TICKET = 2048
const BUSY_RETRY_MS = 1_000

interface SessionRoutesOptions {
  readonly gate: SessionGate
  readonly cookies: Cookies
  readonly isAllowedOrigin: OriginCheck
  readonly identify: Identify
  readonly lookups: Gauge
  readonly outage: Outage
}

export interface SessionRoutes {
  /** `POST /session { token }`: exchanges a ticket for the session cookie. */
  post(exchange: Exchange, request: Request): Promise<void>
  /** `DELETE /session`: signs this browser out. */
  delete(exchange: Exchange, request: Request): Promise<void>
  /** Answers the question that a browser asks before it sends JSON to another origin. */
  options(exchange: Exchange, request: Request): void
}

export function createSessionRoutes({
  gate,
  cookies,
  isAllowedOrigin,
  identify,
  lookups,
  outage,
}: SessionRoutesOptions): SessionRoutes {
  /** False when the exchange has been answered. */
  const admits = (exchange: Exchange, { origin }: Request): boolean => {
    if (!isAllowedOrigin(origin)) {
      exchange.error('403 Forbidden', 'FORBIDDEN', 'This origin is not allowed')
      return false
    }
    if (lookups.isFull) {
      exchange.retryLater('503 Service Unavailable', 'UNAVAILABLE', 'Too much is going on', BUSY_RETRY_MS)
      return false
    }
    return true
  }

  return {
    async post(exchange, request) {
      // Read before anything is awaited, answered for whatever it holds.
      const reading = readBody(exchange, MAX_BODY_BYTES, BODY_DEADLINE_MS)
      if (!admits(exchange, request)) return
      const cors = corsHeaders(request.origin)
      if (!/^application\/json\b/i.test(request.contentType)) {
        exchange.error('415 Unsupported Media Type', 'VALIDATION_FAILED', 'JSON is needed', cors)
        return
      }
      const body = await reading
      if (body === 'aborted') return
      if (body === 'too large') {
        exchange.error('413 Content Too Large', 'VALIDATION_FAILED', 'The body is too large', cors, true)
        return
      }
      if (body === 'too slow') {
        exchange.error('408 Request Timeout', 'TIMEOUT', 'The body took too long', cors, true)
        return
      }
      const ticket = readTicket(body.text)
      if (ticket === undefined) {
        exchange.error('400 Bad Request', 'VALIDATION_FAILED', 'token: a string is needed', cors)
        return
      }
      try {
        const { device } = cookies.read(request.cookie)
        const { ip, userAgent } = request
        const { user, sessionId, expiresAt } = await lookups.run(
          () => gate.redeem(ticket, { ip, userAgent }),
          GATE_DEADLINE_MS,
        )
        outage.succeeded()
        const users = [user.id, ...(device?.users ?? []).filter((id) => id !== user.id)]
        const session = await cookies.session(user.id, sessionId, expiresAt)
        const seen = await cookies.device({ id: device?.id ?? randomUUID(), users })
        exchange.json('200 OK', {}, { ...cors, 'Set-Cookie': [session, seen] })
      } catch (error) {
        fail(exchange, error, cors)
      }
    },

    async delete(exchange, request) {
      if (!admits(exchange, request)) return
      const cors = corsHeaders(request.origin)
      try {
        const { user, sessionId } = (await identify(request)).caller
        if (user && sessionId) await lookups.run(() => gate.end(sessionId, user.id), GATE_DEADLINE_MS)
        exchange.json('200 OK', {}, { ...cors, 'Set-Cookie': cookies.clearedSession })
      } catch (error) {
        fail(exchange, error, cors)
      }
    },

    options(exchange, { origin }) {
      if (!isAllowedOrigin(origin)) {
        exchange.error('403 Forbidden', 'FORBIDDEN', 'This origin is not allowed')
        return
      }
      exchange.reply('204 No Content', {
        ...corsHeaders(origin),
        'Access-Control-Allow-Methods': 'POST, DELETE',
        'Access-Control-Allow-Headers': 'Content-Type',
        'Access-Control-Max-Age': '600',
      })
    },
  }

  function fail(exchange: Exchange, error: unknown, headers: Headers): void {
    if (error instanceof RpcError && error.code !== 'INTERNAL') {
      if (error.code === 'UNAVAILABLE') outage.failed(error)
      const status = statusOf[error.code] ?? '400 Bad Request'
      exchange.json(status, { error: error.code, data: errorData(error) }, { ...headers, ...retryAfter(error) })
      return
    }
    outage.failed(error)
    if (error instanceof DeadlineError) {
      exchange.error('503 Service Unavailable', 'UNAVAILABLE', 'The database does not answer', headers)
    } else exchange.error('500 Internal Server Error', 'INTERNAL', 'Something went wrong on the server', headers)
  }
}

const statusOf: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: '401 Unauthorized',
  FORBIDDEN: '403 Forbidden',
  CONFLICT: '409 Conflict',
  RATE_LIMITED: '429 Too Many Requests',
  UNAVAILABLE: '503 Service Unavailable',
}

function retryAfter({ retryAfterMs }: RpcError): Headers {
  return retryAfterMs === undefined ? {} : { 'Retry-After': `${Math.ceil(retryAfterMs / 1000)}` }
}

/** For a page on an allowed origin other than the server's own. */
function corsHeaders(origin: string): Headers {
  if (origin === '') return {}
  return { 'Access-Control-Allow-Origin': origin, 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' }
}

function readTicket(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body !== 'object' || body === null || !('token' in body)) return undefined
    const { token } = body
    return typeof token === 'string' && token.length > 0 && token.length <= MAX_TICKET ? token : undefined
  } catch {
    return undefined
  }
}
