import { randomUUID } from 'node:crypto'
import type { Limits } from '../protocol/index.ts'
import {
  type AnyMethodRoute,
  credentialOf,
  type Entry,
  errorData,
  isStorableJson,
  type ReadRequest,
  RpcError,
  readJson,
  readRoute,
} from '../rpc/index.ts'
import { answerPreflight, corsHeaders, isForeign, ORIGIN_REFUSED, type OriginCheck } from './cross-site.ts'
import type { Endpoint, Methods, Route } from './endpoint.ts'
import { BODY_DEADLINE_MS, bodyProblems, type Request, readBody } from './http.ts'
import { statusLine, statusOf } from './http-status.ts'
import type { Identity, Sessions } from './sessions.ts'
import type { Receiver } from './socket.ts'

export interface BridgeOptions {
  readonly receiver: Receiver
  readonly sessions: Sessions
  readonly isAllowedOrigin: OriginCheck
  readonly limits: Limits
}

/** A method call as an HTTP request asks for it. */
interface Asked {
  /** What the method is called with, or a function that makes it. */
  readonly data: unknown
  /** Makes the body of the answer. */
  answer(output: unknown): unknown
}

const PREFIX = '/rpc/'
/** Printable ASCII: what a header may hold and an `eid` too. */
const IDEMPOTENCY_KEY = /^[\x20-\x7e]{1,64}$/
const HEADERS_OF_PAGES = 'Content-Type, Idempotency-Key, Authorization, X-API-Key'
const RETRY_MS = 1_000
const NO_BODY = Promise.resolve({ text: '' })

/** Takes HTTP requests to the methods that sockets call: the same checks, limits and deadlines, and a write runs once. */
export function createBridge({ receiver, sessions, isAllowedOrigin, limits }: BridgeOptions) {
  const endpoints = new Map([...receiver.entries].map(([type, entry]) => [`${PREFIX}${type}`, rpcEndpoint(entry)]))
  const unknown = missing(`${PREFIX}*`, 'There is no such type')

  /** @throws RpcError when this caller's request is not executed, whatever it asks */
  function check({ caller, setCookie, ban }: Identity, bodyBytes: number): void {
    const { user } = caller
    const credential = credentialOf(caller)
    if (ban !== undefined) throw new RpcError('BANNED', ban)
    // To go on without a user would answer another question. A cookie that proves nothing is cleared by the answer.
    const isCleared = user === null && setCookie !== undefined
    if (isCleared || (credential !== null && receiver.connections.hasJustEnded(credential))) {
      throw new RpcError('UNAUTHENTICATED', 'The session or the token has ended')
    }
    if (user === null && bodyBytes > limits.anonymousFrameBytes) {
      throw new RpcError('VALIDATION_FAILED', `Over ${limits.anonymousFrameBytes} bytes, the most without a user`)
    }
    const waitMs = user ? receiver.admission.httpOf(user.id, bodyBytes) : 0
    if (waitMs > 0) throw new RpcError('RATE_LIMITED', 'Too many requests of this user', { retryAfterMs: waitMs })
  }

  /** A route that calls the method of `entry`. `ask` reads what the client sent; it may throw RpcErrors. */
  function calling(entry: Entry, status: number, ask: (request: Request, body: string) => Asked): Route {
    return async (exchange, request) => {
      // The body must be read before the first await.
      const reading = request.method === 'post' ? readBody(exchange, postBytesOf(entry), BODY_DEADLINE_MS) : NO_BODY
      if (isForeign(request, isAllowedOrigin)) {
        exchange.error('403 Forbidden', 'FORBIDDEN', ORIGIN_REFUSED)
        return
      }
      let headers = corsHeaders(request.origin)
      const body = await reading
      if (body === 'aborted') return
      if (typeof body === 'string') {
        const [problem, code, message] = bodyProblems[body]
        exchange.error(problem, code, message, headers, true)
        return
      }
      if (body.text !== '' && !/^application\/json\b/i.test(request.contentType)) {
        exchange.error('415 Unsupported Media Type', 'VALIDATION_FAILED', 'JSON is needed', headers)
        return
      }
      try {
        if (sessions.isBusy()) throw new RpcError('UNAVAILABLE', 'Too much is going on', { retryAfterMs: RETRY_MS })
        const identity = await sessions.identify(request)
        if (identity.setCookie !== undefined) headers = { ...headers, 'Set-Cookie': identity.setCookie }
        check(identity, Buffer.byteLength(body.text))
        const asked = ask(request, body.text)
        const output = await receiver.call(identity.caller, entry, asked.data, eidOf(request))
        exchange.json(statusLine(status), asked.answer(output) ?? null, headers)
      } catch (error) {
        if (!(error instanceof RpcError)) throw error
        if (error.code === 'UNAUTHENTICATED') headers = { ...headers, 'WWW-Authenticate': 'Bearer' }
        exchange.error(statusLine(statusOf(error.code)), error.code, errorData(error), headers)
      }
    }
  }

  function preflight(methods: string): Route {
    return (exchange, request) => {
      if (isAllowedOrigin(request.origin)) answerPreflight(exchange, request, methods, HEADERS_OF_PAGES)
      else exchange.error('403 Forbidden', 'FORBIDDEN', ORIGIN_REFUSED)
    }
  }

  function rpcEndpoint(entry: Entry): Endpoint {
    const { type, definition } = entry
    const name = `${PREFIX}${type}`
    if (definition.kind === 'subscription') return missing(name, `${type} is a stream: open it on a socket, /ws`)
    if (definition.effect === 'input') return missing(name, `${type} is an input: send it on a socket, /ws`)
    const post = calling(entry, 200, (_, body) => asIs(readJson(body, limits.jsonDepth)))
    const postBytes = postBytesOf(entry)
    if (definition.effect === 'write') return { name, postBytes, methods: { post, options: preflight('POST') } }
    const get = calling(entry, 200, ({ query }) => {
      return asIs(readJson(new URLSearchParams(query).get('data') ?? '', limits.jsonDepth))
    })
    return { name, postBytes, methods: { get, post, options: preflight('GET, POST') } }
  }

  function postBytesOf({ definition }: Entry): number {
    return (definition.kind === 'method' && definition.httpBodyBytes) || limits.frameBytes
  }

  return {
    /** What answers at a path under `/rpc/`; undefined for other paths. */
    endpointOf(path: string): Endpoint | undefined {
      return path.startsWith(PREFIX) ? (endpoints.get(path) ?? unknown) : undefined
    },

    /** The methods of an address besides `/rpc`. `params` are the segments of its path. */
    methodsOf(entry: Entry, route: AnyMethodRoute, params: (path: string) => Record<string, string>): Methods {
      const run = calling(entry, route.status ?? 200, ({ path, query }, body) => {
        const sent = {
          params: params(path),
          query: queryOf(query),
          body: readJson(body, limits.jsonDepth),
        }
        let read: ReadRequest | undefined
        return {
          data: () => {
            read = readRoute(route, sent)
            return route.input(read)
          },
          answer: (output) => route.answer(output, read ?? readRoute(route, sent)),
        }
      })
      return { [route.method.toLowerCase()]: run, options: preflight(route.method) }
    },

    postBytesOf,

    /** Bytes of the largest body that is read anywhere. */
    maxBodyBytes: Math.max(limits.frameBytes, ...[...receiver.entries.values()].map(postBytesOf)),
  }
}

export type Bridge = ReturnType<typeof createBridge>

const asIs = (data: unknown): Asked => ({ data, answer: (output) => output })

function eidOf({ idempotencyKey }: Request): string {
  if (idempotencyKey === '') return randomUUID()
  if (IDEMPOTENCY_KEY.test(idempotencyKey)) return idempotencyKey
  throw new RpcError('BAD_ENVELOPE', 'Idempotency-Key: 1 to 64 printable ASCII characters are needed')
}

/** @throws RpcError VALIDATION_FAILED for what cannot be stored */
function queryOf(query: string): Record<string, string> {
  const sent = Object.fromEntries(new URLSearchParams(query))
  if (isStorableJson(sent, 1)) return sent
  throw new RpcError('VALIDATION_FAILED', 'The query holds NUL')
}

/** An address where no request is answered. */
function missing(name: string, message: string): Endpoint {
  return { name, methods: {}, missing: { code: 'UNKNOWN_TYPE', message } }
}
