import type { Answer, Welcome } from '../protocol/envelope.ts'
import { answerError, RallyError } from './errors.ts'
import { Pace } from './send-limits.ts'
import type { CallOptions } from './types.ts'

export interface RequestsOptions {
  /** Sends if there is an open connection; false if not. */
  readonly send: (text: string) => boolean
  readonly isOpen: () => boolean
  /** A request waits, and there is no connection. */
  readonly onWaiting: () => void
  readonly timeoutMs: number
  readonly maxQueued: number
}

interface Pending {
  readonly type: string
  readonly eid: string
  /** `data`, encoded when the call was made. */
  readonly body: string
  readonly pinned: boolean
  readonly resolve: (data: unknown) => void
  readonly reject: (error: RallyError) => void
  /** Who asked; null while nobody was signed in. */
  userId: string | null
  state: 'waiting' | 'sent' | 'retrying'
  wasSent: boolean
  /** The last refusal that was taken for temporary. */
  refusal: RallyError | undefined
  retry: ReturnType<typeof setTimeout> | undefined
  /** How long it may be without a connection. */
  readonly offlineMs: number | undefined
  offline: ReturnType<typeof setTimeout> | undefined
  /** Gives up after `waitedMs`: with the last refusal, or by whether it was ever sent. */
  readonly expire: (waitedMs: number) => void
}

const MAX_TIMEOUT_MS = 2 ** 31 - 1
const DEFAULT_RETRY_MS = 500
/** Room in the server's in-flight limit for what does not pass here. */
const SPARE_IN_FLIGHT = 4

/**
 * Requests and their answers. A request waits for a connection, for a place among those in flight and for its turn by
 * the server's rate; it is sent again with the same `eid` when its connection is lost or the server is `UNAVAILABLE`,
 * until its deadline. The server executes a user's write at most once per `eid`, so that sending again is safe.
 */
export class Requests {
  readonly #options: RequestsOptions
  /** In the order of the calls. */
  readonly #pending = new Map<string, Pending>()
  readonly #waiting = new Set<Pending>()
  readonly #urgent = new Set<Pending>()
  #welcome: Welcome | null = null
  #pace: Pace | null = null
  #inFlight = 0
  #flushTimer: ReturnType<typeof setTimeout> | undefined
  #closed = false
  readonly #prefix = randomPrefix()
  #count = 0

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** An id that no other exchange has, of this client or another. */
  nextEid(): string {
    return `${this.#prefix}-${(++this.#count).toString(36)}`
  }

  /** Sends a request; the answer's `data` is trusted to be what the type says. Rejects with `RallyError` only. */
  request<Output>(type: string, data: unknown, options: CallOptions = {}): Promise<Output> {
    return new Promise((resolve, reject) => {
      this.#start(type, data, options, false, (output) => resolve(output as Output), reject)
    })
  }

  /**
   * Sends a request that belongs to the socket: it goes before all others, and fails with `OFFLINE` when the socket is
   * lost. Calls back from within the answer's arrival, before any later frame is looked at.
   */
  pinned(type: string, data: unknown, resolve: (data: unknown) => void, reject: (error: RallyError) => void): void {
    this.#start(type, data, {}, true, resolve, reject)
  }

  /** Whether any request has no answer yet. */
  get areWaiting(): boolean {
    return this.#pending.size > 0
  }

  /** Takes an answer; false if nothing waits for it. */
  answer({ type, eid, data, error }: Answer): boolean {
    const pending = this.#pending.get(eid)
    if (!pending) return false
    if (error === undefined) pending.resolve(data)
    else {
      const failure = answerError(error, data, type, eid)
      if (error === 'UNAVAILABLE' && !pending.pinned) this.#retryLater(pending, failure)
      else pending.reject(failure)
    }
    this.#flush()
    return true
  }

  /**
   * A new connection: what waits goes out, what was sent on the last one goes out again; `first` is called before, to
   * ask for what is to go out first of all.
   */
  welcome(welcome: Welcome, first: () => void): void {
    this.#pace = null
    this.#welcome = welcome
    const userId = welcome.user?.id ?? null
    for (const pending of [...this.#pending.values()]) {
      clearTimeout(pending.offline)
      if (userId !== null && pending.userId !== null && pending.userId !== userId) {
        const { type, eid } = pending
        pending.reject(new RallyError('USER_CHANGED', 'Somebody else is signed in now', { type, eid }))
      } else pending.userId ??= userId
    }
    first()
    this.#pace = new Pace(welcome.limits, performance.now())
    this.#flush()
  }

  /** The connection is lost. */
  drop(): void {
    clearTimeout(this.#flushTimer)
    this.#waiting.clear()
    for (const pending of [...this.#pending.values()]) {
      const { type, eid } = pending
      if (pending.pinned) pending.reject(new RallyError('OFFLINE', 'The connection was lost', { type, eid }))
      else {
        clearTimeout(pending.retry)
        this.#queue(pending)
        this.#boundOffline(pending)
      }
    }
    this.#inFlight = 0
  }

  /** Fails everything, and what comes later. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#flushTimer)
    for (const { type, eid, reject } of [...this.#pending.values()]) {
      reject(new RallyError('CLOSED', 'The client is closed', { type, eid }))
    }
  }

  /** Takes requests again. */
  reopen(): void {
    this.#closed = false
  }

  #start(
    type: string,
    data: unknown,
    options: CallOptions,
    pinned: boolean,
    resolve: (data: unknown) => void,
    reject: (error: RallyError) => void,
  ): void {
    const { signal, eid = this.nextEid() } = options
    const errorOf = (code: string, message: string, retryAfterMs?: number) =>
      new RallyError(code, message, { type, eid, retryAfterMs })
    const body = encode(data)
    if (body === undefined) {
      reject(errorOf('TOO_BIG', 'The input cannot be encoded as JSON'))
      return
    }
    const refusal = this.#refusal(eid, pinned, signal)
    if (refusal) {
      reject(errorOf(...refusal))
      return
    }
    const finish = () => {
      clearTimeout(deadline)
      clearTimeout(pending.retry)
      clearTimeout(pending.offline)
      signal?.removeEventListener('abort', abort)
      this.#forget(pending)
    }
    const pending: Pending = {
      type,
      eid,
      body,
      pinned,
      resolve: (answer) => {
        finish()
        resolve(answer)
      },
      reject: (error) => {
        finish()
        reject(error)
      },
      userId: this.#welcome?.user?.id ?? null,
      state: 'waiting',
      wasSent: false,
      refusal: undefined,
      retry: undefined,
      offlineMs: options.offlineMs,
      offline: undefined,
      expire: (waitedMs) => {
        if (pending.refusal) pending.reject(pending.refusal)
        else if (pending.wasSent) pending.reject(errorOf('TIMEOUT', `No answer within ${waitedMs} ms`))
        else pending.reject(errorOf('OFFLINE', `No connection within ${waitedMs} ms`))
      },
    }
    const abort = () => pending.reject(errorOf('ABORTED', 'The call was aborted'))
    const timeoutMs = Math.min(options.timeoutMs ?? this.#options.timeoutMs, MAX_TIMEOUT_MS)
    const deadline = setTimeout(pending.expire, timeoutMs, timeoutMs)
    signal?.addEventListener('abort', abort)

    this.#pending.set(eid, pending)
    this.#queue(pending)
    if (!this.#options.isOpen()) {
      this.#boundOffline(pending)
      this.#options.onWaiting()
    }
    this.#flush()
  }

  /** There is no connection: starts what the call may be without one. */
  #boundOffline(pending: Pending): void {
    const { offlineMs, expire } = pending
    if (offlineMs !== undefined) pending.offline = setTimeout(expire, offlineMs, offlineMs)
  }

  /** Why a call is not even queued: code, message, ms to wait. */
  #refusal(eid: string, pinned: boolean, signal: AbortSignal | undefined): [string, string, number?] | undefined {
    if (this.#closed) return ['CLOSED', 'The client is closed']
    if (signal?.aborted) return ['ABORTED', 'The call was aborted']
    if (this.#pending.has(eid)) return ['CONFLICT', 'A call with this eid waits for its answer already']
    if (pinned || this.#waiting.size < this.#options.maxQueued) return undefined
    return this.#options.isOpen()
      ? ['RATE_LIMITED', 'Too many calls wait to be sent', 1000]
      : ['OFFLINE', 'Not connected, and too many calls wait already']
  }

  #queue(pending: Pending): void {
    pending.state = 'waiting'
    const queue = pending.pinned ? this.#urgent : this.#waiting
    queue.add(pending)
  }

  #forget(pending: Pending): void {
    if (this.#pending.get(pending.eid) !== pending) return
    this.#pending.delete(pending.eid)
    this.#waiting.delete(pending)
    this.#urgent.delete(pending)
    if (pending.state === 'sent') this.#inFlight--
  }

  /** A node that leaves refuses what is new, and its clients are elsewhere a moment later. */
  #retryLater(pending: Pending, refusal: RallyError): void {
    if (pending.state === 'sent') this.#inFlight--
    pending.state = 'retrying'
    pending.refusal = refusal
    pending.retry = setTimeout(() => {
      this.#queue(pending)
      this.#flush()
    }, refusal.retryAfterMs ?? DEFAULT_RETRY_MS)
  }

  #flush(): void {
    clearTimeout(this.#flushTimer)
    if (!this.#welcome || !this.#pace || !this.#options.isOpen()) return
    const { user, limits } = this.#welcome
    const { requestsInFlight } = limits
    const frameBytes = Math.min(limits.frameBytes, user ? Number.POSITIVE_INFINITY : limits.anonymousFrameBytes)
    for (const queue of [this.#urgent, this.#waiting]) {
      for (const pending of queue) {
        if (this.#inFlight >= Math.max(1, requestsInFlight - SPARE_IN_FLIGHT)) return
        const waitMs = this.#pace.take(performance.now())
        if (waitMs > 0) {
          this.#flushTimer = setTimeout(() => this.#flush(), waitMs)
          return
        }
        this.#send(pending, frameBytes)
      }
    }
  }

  #send(pending: Pending, frameBytes: number): void {
    const { type, eid } = pending
    const text = encodeRequest(type, eid, pending.body)
    if (isLonger(text, frameBytes)) {
      pending.reject(new RallyError('TOO_BIG', `A request may have ${frameBytes} bytes`, { type, eid }))
      return
    }
    this.#waiting.delete(pending)
    this.#urgent.delete(pending)
    pending.state = 'sent'
    pending.wasSent = true
    this.#inFlight++
    this.#options.send(text)
  }
}

/** 96 random bits. Not `randomUUID`, which a page without TLS has not. */
function randomPrefix(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A request as it goes over the wire. `body` is JSON. */
export function encodeRequest(type: string, eid: string, body: string): string {
  return `{"type":${JSON.stringify(type)},"eid":${JSON.stringify(eid)},"ts":${Date.now()},"data":${body}}`
}

/** JSON of `data`; undefined for what has none (a cycle, a bigint). */
export function encode(data: unknown): string | undefined {
  try {
    return JSON.stringify(data ?? {})
  } catch {
    return undefined
  }
}

/** Whether `text` is longer than `maxBytes` in UTF-8, which takes one to three bytes for each unit of UTF-16. */
export function isLonger(text: string, maxBytes: number): boolean {
  if (text.length * 3 <= maxBytes) return false
  return text.length > maxBytes || new TextEncoder().encode(text).length > maxBytes
}
