import { clientAddress } from './address.ts'
import type { HttpRequest, HttpResponse } from './uws.ts'

/** What is needed of a request, copied, as uWebSockets.js lends it only until the handler returns. */
export interface Request {
  /** Lower case. */
  readonly method: string
  /** As sent: percent-encoded, without the query. */
  readonly path: string
  readonly origin: string
  readonly cookie: string
  readonly userAgent: string
  readonly contentType: string
  readonly acceptEncoding: string
  readonly ifNoneMatch: string
  readonly ip: string
}

const MAX_USER_AGENT = 200

export function readRequest(res: HttpResponse, req: HttpRequest, trustedProxyHops: number): Request {
  return {
    method: req.getMethod(),
    path: req.getUrl(),
    origin: req.getHeader('origin'),
    cookie: req.getHeader('cookie'),
    userAgent: req.getHeader('user-agent').slice(0, MAX_USER_AGENT),
    contentType: req.getHeader('content-type'),
    acceptEncoding: req.getHeader('accept-encoding'),
    ifNoneMatch: req.getHeader('if-none-match'),
    ip: clientAddress(res.getRemoteAddress(), trustedProxyHops > 0 ? forwardedFor(req) : '', trustedProxyHops),
  }
}

/** All `X-Forwarded-For` headers in their order: a proxy may add one of its own after the client's. */
function forwardedFor(req: HttpRequest): string {
  const values: string[] = []
  req.forEach((name, value) => {
    if (name === 'x-forwarded-for') values.push(value)
  })
  return values.join(',')
}

export type Headers = Readonly<Record<string, string | readonly string[]>>

/** One HTTP request and its response, which may be written once, and not after the client has left. */
export class Exchange {
  readonly request: Request
  readonly res: HttpResponse
  #isOpen = true
  #onAbort: (() => void) | undefined

  /** Made before the first await, as uWebSockets.js demands to know what to do when the client leaves. */
  constructor(res: HttpResponse, request: Request) {
    this.res = res
    this.request = request
    res.onAborted(() => {
      this.#isOpen = false
      this.#onAbort?.()
    })
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  onAbort(listener: () => void): void {
    this.#onAbort = listener
  }

  /** Claims the right to respond; false when it is gone. */
  take(): boolean {
    const wasOpen = this.#isOpen
    this.#isOpen = false
    return wasOpen
  }

  /** `close` ends the connection too: for a client that is still sending what nobody will read. */
  reply(status: string, headers: Headers, body: string | Uint8Array = '', close = false): void {
    if (!this.take()) return
    this.res.cork(() => {
      this.res.writeStatus(status)
      writeHeaders(this.res, headers)
      const isBodiless = status.startsWith('304') || status.startsWith('204')
      if (!isBodiless && this.request.method !== 'head') {
        this.res.end(body, close)
        return
      }
      // Telling endWithoutBody() the length instead breaks the next request on the connection.
      if (!isBodiless) this.res.writeHeader('Content-Length', `${Buffer.byteLength(body)}`)
      this.res.endWithoutBody()
    })
  }

  json(status: string, value: unknown, headers: Headers = {}, close = false): void {
    const own = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' }
    this.reply(status, { ...own, ...headers }, JSON.stringify(value), close)
  }

  /** An error in the words of the protocol. */
  error(status: string, code: string, message: string, headers: Headers = {}, close = false): void {
    this.json(status, { error: code, data: { message } }, headers, close)
  }
}

export function writeHeaders(res: HttpResponse, headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string') res.writeHeader(name, value)
    else for (const each of value) res.writeHeader(name, each)
  }
}

/** Why a body could not be had: the client left, sent too much, or took too long. */
export type BodyProblem = 'aborted' | 'too large' | 'too slow'

/** The whole body of a request as text. Has to be called before the handler's first await. */
export function readBody(
  exchange: Exchange,
  maxBytes: number,
  deadlineMs: number,
): Promise<{ text: string } | BodyProblem> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(() => resolve('too slow'), deadlineMs)
    const settle = (result: { text: string } | BodyProblem) => {
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
