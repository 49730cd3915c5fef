import type { Limits } from '../protocol/default-limits.ts'
import type { Answer, Welcome } from '../protocol/envelope.ts'
import type { Connection } from './connection.ts'
import { encodeBody, encodeRequest, isLonger } from './envelopes.ts'
import { answerError, callSite, RallyError, withCallSite } from './errors.ts'
import type { CallOptions } from './types.ts'

/** How long a request waits for its answer. The server itself gives up after 10 s, so that its answer comes first. */
export const DEFAULT_TIMEOUT_MS = 12_000
const DEFAULT_MAX_QUEUED = 256
const MAX_TIMEOUT_MS = 2 ** 31 - 1
/** The wait after `UNAVAILABLE` that names none. */
const DEFAULT_RETRY_MS = 500
/** Places in the server's in-flight limit that are kept free for pings and fire-and-forget calls. */
const SPARE_IN_FLIGHT = 4
/** Part of the server's rate that the client uses, because the two clocks and counts are never quite equal. */
const SHARE = 0.9

export interface RequestsOptions {
  /** Why the server refuses to open a socket, if it does. */
  readonly refusal: () => RallyError | null
  readonly timeoutMs: number
  readonly maxQueued?: number | undefined
}

interface Pending {
  readonly type: string
  readonly eid: string
  /** `data`, encoded when the call was made. */
  readonly body: string
  /** Belongs to the current socket: fails when that is lost. */
  readonly pinned: boolean
  readonly resolve: (data: unknown) => void
  readonly reject: (error: RallyError) => void
  readonly fail: (code: string, message: string, retryAfterMs?: number) => void
  /** Gives up after `waitedMs`: with the last refusal, or by whether it was ever sent. */
  readonly expire: (waitedMs: number) => void
  /** The user who asked; null while nobody was signed in. */
  userId: string | null
  state: 'waiting' | 'sent' | 'retrying'
  wasSent: boolean
  /** The last `UNAVAILABLE`. */
  refusal?: RallyError
  /** How long it may be without a connection. */
  readonly offlineMs: number | undefined
  readonly timers: { [name in 'deadline' | 'retry' | 'offline']?: ReturnType<typeof setTimeout> }
}

/**
 * Requests and their answers. One waits for a connection and for the server's limits. It is sent again when its
 * connection is lost or the server is `UNAVAILABLE`, until its deadline: a write happens at most once per `eid`.
 */
export class Requests {
  readonly #connection: Connection
  readonly #options: RequestsOptions
  /** In the order of the calls. */
  readonly #pending = new Map<string, Pending>()
  readonly #waiting = new Set<Pending>()
  /** Pinned requests that wait: they go first. */
  readonly #urgent = new Set<Pending>()
  #welcome: Welcome | null = null
  #rate: SendRate | null = null
  #inFlight = 0
  #flushTimer: ReturnType<typeof setTimeout> | undefined
  readonly #prefix = randomPrefix()
  #count = 0

  constructor(connection: Connection, options: RequestsOptions) {
    this.#connection = connection
    this.#options = options
  }

  /** An id that no other exchange has, of this client or another. */
  nextEid(): string {
    return `${this.#prefix}-${(++this.#count).toString(36)}`
  }

  /** Sends a request; the answer's `data` is trusted to be what the type says. Rejects with `RallyError` only. */
  request<Output>(type: string, data: unknown, options: CallOptions = {}): Promise<Output> {
    const site = callSite(this.request)
    return new Promise((resolve, reject) => {
      const fail = (error: RallyError) => reject(withCallSite(error, site))
      this.#start(type, data, options, false, (output) => resolve(output as Output), fail)
    })
  }

  /** Sends a request before all others; `OFFLINE` when this socket is lost. Calls back before a later frame is read. */
  pinned(type: string, data: unknown, resolve: (data: unknown) => void, reject: (error: RallyError) => void): void {
    this.#start(type, data, {}, true, resolve, reject)
  }

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
      // A node that leaves refuses new requests, and its clients are on another node a moment later.
      if (error === 'UNAVAILABLE' && !pending.pinned) {
        if (pending.state === 'sent') this.#inFlight--
        pending.state = 'retrying'
        pending.refusal = failure
        pending.timers.retry = setTimeout(() => this.#flush(pending), failure.retryAfterMs ?? DEFAULT_RETRY_MS)
      } else pending.reject(failure)
    }
    this.#flush()
    return true
  }

  /** Call this on a new connection: sends what has no answer, after the requests that `first` makes. */
  welcome(welcome: Welcome, first: () => void): void {
    this.#rate = null
    this.#welcome = welcome
    const userId = welcome.user?.id ?? null
    for (const pending of [...this.#pending.values()]) {
      clearTimeout(pending.timers.offline)
      const isOther = userId !== null && pending.userId !== null && pending.userId !== userId
      if (isOther) pending.fail('USER_CHANGED', 'Somebody else is signed in now')
      else pending.userId ??= userId
    }
    first()
    this.#rate = new SendRate(welcome.limits, performance.now())
    this.#flush()
  }

  /** Call this when the connection is lost. */
  drop(): void {
    clearTimeout(this.#flushTimer)
    this.#waiting.clear()
    for (const pending of [...this.#pending.values()]) {
      if (pending.pinned) pending.fail('OFFLINE', 'The connection was lost')
      else {
        clearTimeout(pending.timers.retry)
        this.#queue(pending)
        this.#limitOffline(pending)
      }
    }
    this.#inFlight = 0
  }

  /** Call this when the connection is closed for good: fails all requests. Later ones fail until it connects again. */
  close(): void {
    clearTimeout(this.#flushTimer)
    for (const { fail } of [...this.#pending.values()]) fail('CLOSED', 'The client is closed')
  }

  #start(
    type: string,
    data: unknown,
    options: CallOptions,
    pinned: boolean,
    resolve: (data: unknown) => void,
    reject: (error: RallyError) => void,
  ): void {
    const { signal, offlineMs, eid = this.nextEid() } = options
    const body = encodeBody(data)
    const settle = (then: () => void) => {
      for (const timer of Object.values(pending.timers)) clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      if (this.#pending.get(eid) === pending) {
        this.#pending.delete(eid)
        this.#waiting.delete(pending)
        this.#urgent.delete(pending)
        if (pending.state === 'sent') this.#inFlight--
      }
      then()
    }
    const pending: Pending = {
      type,
      eid,
      body: body ?? '',
      pinned,
      resolve: (answer) => settle(() => resolve(answer)),
      reject: (error) => settle(() => reject(error)),
      fail: (code, message, retryAfterMs) => pending.reject(new RallyError(code, message, { type, eid, retryAfterMs })),
      expire: (waitedMs) => {
        const refusal = this.#options.refusal()
        if (pending.refusal) pending.reject(pending.refusal)
        else if (pending.wasSent) pending.fail('TIMEOUT', `No answer within ${waitedMs} ms`)
        else pending.fail('OFFLINE', `No connection within ${waitedMs} ms${refusal ? `: ${refusal.message}` : ''}`)
      },
      userId: this.#welcome?.user?.id ?? null,
      state: 'waiting',
      wasSent: false,
      offlineMs,
      timers: {},
    }
    const abort = () => pending.fail('ABORTED', 'The call was aborted')
    const refusal = this.#refuse(pending, body === undefined, signal)
    if (refusal) {
      pending.fail(...refusal)
      return
    }
    const timeoutMs = Math.min(options.timeoutMs ?? this.#options.timeoutMs, MAX_TIMEOUT_MS)
    pending.timers.deadline = setTimeout(pending.expire, timeoutMs, timeoutMs)
    signal?.addEventListener('abort', abort)

    this.#pending.set(eid, pending)
    if (!this.#connection.isOpen) {
      this.#limitOffline(pending)
      this.#connection.endIdle()
    }
    this.#flush(pending)
  }

  /** There is no connection: starts the time that the call may be without one. */
  #limitOffline({ offlineMs, expire, timers }: Pending): void {
    if (offlineMs !== undefined) timers.offline = setTimeout(expire, offlineMs, offlineMs)
  }

  /** Why a call is not even queued: code, message, ms to wait. */
  #refuse({ eid, pinned }: Pending, isNoJson: boolean, signal?: AbortSignal): [string, string, number?] | null {
    if (isNoJson) return ['TOO_BIG', 'The input cannot be encoded as JSON']
    if (this.#connection.status === 'closed') return ['CLOSED', 'The client is closed']
    if (signal?.aborted) return ['ABORTED', 'The call was aborted']
    if (this.#pending.has(eid)) return ['CONFLICT', 'A call with this eid waits for its answer already']
    if (pinned || this.#waiting.size < (this.#options.maxQueued ?? DEFAULT_MAX_QUEUED)) return null
    if (this.#connection.isOpen) return ['RATE_LIMITED', 'Too many calls wait to be sent', 1000]
    return ['OFFLINE', 'Not connected, and too many calls wait already']
  }

  #queue(pending: Pending): void {
    pending.state = 'waiting'
    if (pending.pinned) this.#urgent.add(pending)
    else this.#waiting.add(pending)
  }

  /** Sends what waits, `added` too, as far as the server's limits allow. */
  #flush(added?: Pending): void {
    if (added) this.#queue(added)
    clearTimeout(this.#flushTimer)
    if (!this.#welcome || !this.#rate || !this.#connection.isOpen) return
    const { user, limits } = this.#welcome
    const maxBytes = user ? limits.frameBytes : Math.min(limits.frameBytes, limits.anonymousFrameBytes)
    for (const queue of [this.#urgent, this.#waiting]) {
      for (const pending of queue) {
        if (this.#inFlight >= Math.max(1, limits.requestsInFlight - SPARE_IN_FLIGHT)) return
        const waitMs = this.#rate.take(performance.now())
        if (waitMs > 0) {
          this.#flushTimer = setTimeout(() => this.#flush(), waitMs)
          return
        }
        const text = encodeRequest(pending.type, pending.eid, pending.body)
        if (isLonger(text, maxBytes)) {
          pending.fail('TOO_BIG', `A request may have ${maxBytes} bytes`)
          continue
        }
        queue.delete(pending)
        pending.state = 'sent'
        pending.wasSent = true
        this.#inFlight++
        this.#connection.send(text)
      }
    }
  }
}

/** A token bucket a little smaller than the server's, so that a flood of calls waits here instead of failing there. */
class SendRate {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor(limits: Pick<Limits, 'requestsPerSecond' | 'requestsBurst'>, now: number) {
    this.#perMs = (limits.requestsPerSecond * SHARE) / 1000
    this.#burst = Math.max(1, limits.requestsBurst * SHARE)
    this.#tokens = this.#burst
    this.#at = now
  }

  /** Takes a token and returns 0, or returns the milliseconds until there is one. */
  take(now: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs)
    this.#at = now
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) / this.#perMs)
    this.#tokens--
    return 0
  }
}

/** 96 random bits. `randomUUID` is missing from pages without TLS. */
function randomPrefix(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
