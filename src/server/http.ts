import type { ErrorData } from '../protocol/index.ts'
import { type Headers, jsonHeaders } from './security-headers.ts'
import { addressOf, clientAddress, type ProxyCheck } from './trusted-proxies.ts'
import type { HttpRequest, HttpResponse } from './uws.ts'
import { writeBody } from './write-body.ts'

/** Who sent a request. */
export interface Sender {
  readonly origin: string
  readonly cookie: string
  readonly authorization: string
  /** The header `X-API-Key`. */
  readonly apiKey: string
  readonly userAgent: string
  /** The client's address, after trusted proxies. */
  readonly ip: string
}

/** A copy of the request: uWebSockets.js lends the original until the handler returns. */
export interface Request extends Sender {
  /** Lower case. */
  readonly method: string
  /** As sent: percent-encoded, without the query. */
  readonly path: string
  /** As sent, without the question mark. */
  readonly query: string
  readonly contentType: string
  readonly acceptEncoding: string
  readonly ifNoneMatch: string
  readonly idempotencyKey: string
  /** `Sec-Fetch-Site`: what a browser says about where the request comes from. */
  readonly fetchSite: string
  /** Where the connection comes from. */
  readonly peer: string
}

const MAX_USER_AGENT = 200
/** Digits only, and few enough for a safe integer. */
const LENGTH = /^\d{1,15}$/

export type Addresses = Pick<Request, 'peer' | 'ip'>

/** The proxies in front of this server. */
export interface Proxies {
  readonly hops: number
  readonly isTrusted: ProxyCheck
}

/** Nothing else of a request is read before it is admitted. */
export function readAddresses(res: HttpResponse, req: HttpRequest, { hops, isTrusted }: Proxies): Addresses {
  const peer = addressOf(res.getRemoteAddress())
  if (!isTrusted(peer)) return { peer, ip: peer }
  // A proxy may add a header of its own after the client's.
  const forwardedFor = valuesOf(req, 'x-forwarded-for').join(',')
  return { peer, ip: clientAddress(peer, forwardedFor, hops) }
}

export function readSender(req: HttpRequest, { ip }: Addresses): Sender {
  return {
    origin: req.getHeader('origin'),
    cookie: req.getHeader('cookie'),
    authorization: req.getHeader('authorization'),
    apiKey: req.getHeader('x-api-key'),
    userAgent: req.getHeader('user-agent').slice(0, MAX_USER_AGENT),
    ip,
  }
}

export function readRequest(req: HttpRequest, addresses: Addresses): Request {
  return {
    ...readSender(req, addresses),
    method: req.getMethod(),
    path: req.getUrl(),
    query: req.getQuery(),
    contentType: req.getHeader('content-type'),
    acceptEncoding: req.getHeader('accept-encoding'),
    ifNoneMatch: req.getHeader('if-none-match'),
    idempotencyKey: req.getHeader('idempotency-key'),
    fetchSite: req.getHeader('sec-fetch-site'),
    peer: addresses.peer,
  }
}

/** The length of the body in bytes as the headers say it; Infinity when they do not say it in a readable way. */
export function bodyBytes(req: HttpRequest): number {
  const length = req.getHeader('content-length')
  if (length !== '') return LENGTH.test(length) ? Number(length) : Number.POSITIVE_INFINITY
  return req.getHeader('transfer-encoding') === '' ? 0 : Number.POSITIVE_INFINITY
}

function valuesOf(req: HttpRequest, wanted: string): string[] {
  const values: string[] = []
  req.forEach((name, value) => {
    if (name === wanted) values.push(value)
  })
  return values
}

interface FramingProblem {
  readonly status: string
  readonly message: string
}
const AMBIGUOUS: FramingProblem = { status: '400 Bad Request', message: 'The length of the body is ambiguous' }
const NO_LENGTH: FramingProblem = { status: '411 Length Required', message: 'A body needs a Content-Length' }

/**
 * Why the end of the body is not certain; null if it is. Two servers may read different requests in the same bytes where its
 * length is given twice or unreadably (RFC 9112, 6.3 and 11.2), and the addon does not read chunks as others do: it takes what
 * follows the last one for the next request.
 */
export function framingProblem(req: HttpRequest): FramingProblem | null {
  const length = req.getHeader('content-length')
  if (req.getHeader('transfer-encoding') !== '') return length === '' ? NO_LENGTH : AMBIGUOUS
  if (length === '') return null
  return LENGTH.test(length) && valuesOf(req, 'content-length').length === 1 ? null : AMBIGUOUS
}

/** Follows HTTP requests and upgrades to their answer, for traces. */
export interface RequestObserver {
  /**
   * Has to call `run` once, before it returns. `answered` is called with the status of the answer, or with `aborted`.
   *
   * @param route the path as the server knows it: `/session`
   */
  request(route: string, method: string, run: (answered: (status: string) => void) => void): void
}

/** One HTTP request and its response. The response can be written once, while the client is there. */
export class Exchange {
  readonly method: string
  readonly res: HttpResponse
  readonly #always: Headers
  #isOpen = true
  #onAbort: (() => void) | undefined
  /** Told the status of the answer, or `aborted`. */
  onAnswered: ((status: string) => void) | undefined

  /**
   * Must be made before the first await: uWebSockets.js demands a listener for a client that leaves.
   *
   * @param always headers of every response, unless it has its own
   */
  constructor(res: HttpResponse, method: string, always: Headers) {
    this.res = res
    this.method = method
    this.#always = always
    res.onAborted(() => {
      if (this.#isOpen) this.onAnswered?.('aborted')
      this.#isOpen = false
      this.#onAbort?.()
    })
  }

  onAbort(listener: () => void): void {
    this.#onAbort = listener
  }

  /** Claims the response. False when it has been claimed before, or the client has left. */
  take(): boolean {
    const wasOpen = this.#isOpen
    this.#isOpen = false
    return wasOpen
  }

  /** Call it within a cork, after `take()`. */
  writeHead(status: string, headers: Headers): void {
    this.onAnswered?.(status)
    this.res.writeStatus(status)
    for (const [name, value] of Object.entries({ ...this.#always, ...headers })) {
      if (typeof value === 'string') this.res.writeHeader(name, value)
      else for (const each of value) this.res.writeHeader(name, each)
    }
  }

  /** `close` ends the connection too: for a client that still sends a body which is not read. */
  reply(status: string, headers: Headers, body: string | Uint8Array = '', close = false): void {
    if (!this.take()) return
    this.res.cork(() => {
      this.writeHead(status, headers)
      const isBodiless = status.startsWith('304') || status.startsWith('204')
      if (!isBodiless && this.method !== 'head') {
        // A connection that is ended after this answer can pile up nothing more.
        if (close || body.length === 0) this.res.end(body, close)
        else writeBody(this.res, body, (listener) => this.onAbort(listener))
        return
      }
      // Telling endWithoutBody() the length instead breaks the next request on the connection.
      if (!isBodiless) this.res.writeHeader('Content-Length', `${Buffer.byteLength(body)}`)
      this.res.endWithoutBody()
    })
  }

  json(status: string, value: unknown, headers: Headers = {}, close = false): void {
    this.reply(status, { ...jsonHeaders, ...headers }, JSON.stringify(value), close)
  }

  /** Answers an error of the protocol. `data` is its message, or all its data. */
  error(status: string, code: string, data: string | ErrorData, headers: Headers = {}, close = false): void {
    const full: ErrorData = typeof data === 'string' ? { message: data } : data
    const retry = full.retryAfterMs === undefined ? {} : { 'Retry-After': `${Math.ceil(full.retryAfterMs / 1_000)}` }
    this.json(status, { error: code, data: full }, { ...headers, ...retry }, close)
  }

  /**
   * Answers an error and ends the connection: nobody can tell where the next request begins, or there are too many. Never
   * within the handler: the parser would go on to the next request. A connection with an unanswered request is ended by the
   * next one, so a client that does not wait for answers costs one refusal a connection.
   */
  refuse(status: string, code: string, data: string | ErrorData, headers: Headers = {}): void {
    setImmediate(() => this.error(status, code, data, headers, true))
  }
}

export const BODY_DEADLINE_MS = 10_000

/** How a body that could not be had is answered. */
export const bodyProblems = {
  'too large': ['413 Content Too Large', 'VALIDATION_FAILED', 'The body is too large'],
  'too slow': ['408 Request Timeout', 'TIMEOUT', 'The body took too long'],
} as const

/** The body of a request as text, or why it could not be had. */
type Body = { text: string } | 'aborted' | 'too large' | 'too slow'

/** Reads the whole body of a request. Has to be called before the handler's first await. */
export function readBody(exchange: Exchange, maxBytes: number, deadlineMs: number): Promise<Body> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(() => resolve('too slow'), deadlineMs)
    const settle = (result: Body) => {
      clearTimeout(timer)
      resolve(result)
    }
    exchange.onAbort(() => settle('aborted'))
    exchange.res.onData((chunk, isLast) => {
      size += chunk.byteLength
      if (size > maxBytes) {
        chunks.length = 0
        settle('too large')
        return
      }
      // The chunk is the transport's own memory.
      chunks.push(Buffer.from(new Uint8Array(chunk)))
      if (isLast) settle({ text: Buffer.concat(chunks).toString() })
    })
  })
}
