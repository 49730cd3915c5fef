import type { Limits } from '../protocol/index.ts'
import type { Call } from './call.ts'
import type { Connection } from './connection.ts'
import type { AnySubscription, Delivery } from './definition.ts'
import { type Body, errorOfKept } from './envelope.ts'
import { RpcError } from './errors.ts'
import type { Executor, ReadOpening } from './executor.ts'
import type { Entry } from './registry.ts'
import type { Hub } from './stream-hub.ts'

/** Receives the answer of a call. */
export type Reply = (call: Call, answer: Body | RpcError) => void

/** Follows calls from their frame to their answer, for logs and traces. */
export interface CallObserver {
  /**
   * Has to call `run` once, before it returns. `answered` is called when the call is answered: with `OK`, or with the code of
   * the error.
   */
  observe(call: Call, run: (answered: (outcome: string) => void) => void): void
}

/** A call whose answer is awaited. */
interface Pending<Tx> {
  readonly call: Call<Tx>
  readonly entry: Entry
  readonly reply: Reply
  readonly startedAt: number
}

/** A refused anonymous read may be retried after this time, or up to twice as long. */
const REFUSED_READ_MS = 100

/** Calls that wait for their answer. Each is answered once: by its handler, or with TIMEOUT after `limits.requestMs`. */
export class PendingCalls<Ctx, Tx> {
  readonly #limits: Limits
  readonly #hub: Hub
  readonly #executor: Executor<Ctx, Tx>
  readonly #observer: CallObserver | undefined
  /** Oldest first. All have the same deadline, so the first are the first to be late. */
  readonly #pending = new Set<Pending<Tx>>()
  /** Reads of callers without a user that may wait for the database. */
  #anonymousReads = 0

  constructor(limits: Limits, hub: Hub, executor: Executor<Ctx, Tx>, observer: CallObserver | undefined) {
    this.#limits = limits
    this.#hub = hub
    this.#executor = executor
    this.#observer = observer
  }

  get size(): number {
    return this.#pending.size
  }

  /** Answers calls that took too long. Called several times a second. */
  sweep(now: number): void {
    for (const pending of this.#pending) {
      if (now - pending.startedAt < this.#limits.requestMs) return
      this.#untrack(pending)
      const late = new RpcError('TIMEOUT', 'The answer took too long', { retryAfterMs: 1000 })
      this.#fail(pending.call, pending.entry, late, pending.reply)
    }
  }

  /** Runs a call; one whose handler awaits nothing is answered before this returns. Never throws. */
  start(call: Call<Tx>, entry: Entry, data: unknown, now: number, reply: Reply): void {
    if (!this.#observer) {
      this.#start(call, entry, data, now, reply)
      return
    }
    this.#observer.observe(call, (answered) => {
      this.#start(call, entry, data, now, (_, answer) => {
        reply(call, answer)
        answered(outcomeOf(answer))
      })
    })
  }

  #start(call: Call<Tx>, entry: Entry, data: unknown, now: number, reply: Reply): void {
    const { definition } = entry
    let body: Body | Promise<Body>
    try {
      this.#checkRoom(call, entry)
      if (definition.kind === 'subscription') {
        this.#open(call, entry, definition, data, now, reply)
        return
      }
      body = this.#executor.execute(call, entry, definition, data, now)
    } catch (error) {
      this.#fail(call, entry, error, reply)
      return
    }
    if (body instanceof Promise) {
      entry.awaits = true
      this.#takePlace(call, entry, body)
      void this.#settle(this.#track(call, entry, now, reply), body)
    } else {
      entry.stats.latency.add(performance.now() - now)
      this.#answer(call, entry, body, reply)
    }
  }

  /** Data that cannot be encoded is a mistake of the handler: INTERNAL. */
  #answer(call: Call<Tx>, entry: Entry, body: Body, reply: Reply): void {
    try {
      reply(call, body)
      const code = typeof body === 'string' ? errorOfKept(body) : undefined
      if (code === undefined) entry.stats.ok++
      else entry.stats.fail(code)
    } catch (error) {
      this.#fail(call, entry, error, reply)
    }
  }

  /** @throws RpcError */
  #checkRoom({ caller, connection }: Call<Tx>, entry: Entry): void {
    if (connection && connection.inFlight >= this.#limits.requestsInFlight) {
      throw new RpcError('RATE_LIMITED', 'Too many requests wait for their answer', { retryAfterMs: 100 })
    }
    if (caller.user !== null || !entry.awaits || !entry.needsPlace) return
    if (this.#anonymousReads < this.#limits.anonymousReads) return
    const retryAfterMs = REFUSED_READ_MS * (1 + Math.random())
    throw new RpcError('UNAVAILABLE', 'Too many are reading; try again', { retryAfterMs })
  }

  /** A read without a user holds its place until its handler is done, even when the deadline has answered it. */
  #takePlace({ caller }: Call<Tx>, entry: Entry, work: Promise<unknown>): void {
    if (caller.user !== null || !entry.needsPlace) return
    this.#anonymousReads++
    const free = () => void this.#anonymousReads--
    work.then(free, free)
  }

  #track(call: Call<Tx>, entry: Entry, startedAt: number, reply: Reply): Pending<Tx> {
    const pending = { call, entry, reply, startedAt }
    if (call.connection) call.connection.inFlight++
    this.#pending.add(pending)
    return pending
  }

  /** False when the deadline has answered already. */
  #untrack(pending: Pending<Tx>): boolean {
    if (!this.#pending.delete(pending)) return false
    const { call, entry, startedAt } = pending
    if (call.connection) call.connection.inFlight--
    entry.stats.latency.add(performance.now() - startedAt)
    return true
  }

  async #settle(pending: Pending<Tx>, body: Promise<Body>): Promise<void> {
    const { call, entry, reply } = pending
    try {
      const settled = await body
      if (this.#untrack(pending)) this.#answer(call, entry, settled, reply)
    } catch (error) {
      if (this.#untrack(pending)) this.#fail(call, entry, error, reply)
      else this.#executor.toRpcError(call, entry, error)
    }
  }

  /** @throws RpcError */
  #open(call: Call<Tx>, entry: Entry, subscription: AnySubscription, data: unknown, now: number, reply: Reply): void {
    const { connection } = call
    if (!connection) throw new RpcError('UNKNOWN_TYPE', 'Streams need a socket')
    const read = this.#executor.admitOpening(call, entry, subscription, data, now)
    this.#checkSubscriptions(connection)
    const pending = this.#track(call, entry, now, reply)
    this.#takePlace(call, entry, this.#follow(pending, connection, subscription.delivery, read))
  }

  async #follow(pending: Pending<Tx>, connection: Connection, delivery: Delivery, read: ReadOpening): Promise<void> {
    const { call, entry, reply } = pending
    try {
      await this.#hub.follow(connection, delivery, read, (opening) => {
        // Others may have been opened while this one was read.
        this.#checkSubscriptions(connection)
        if (!this.#untrack(pending)) return false
        reply(call, { data: opening })
        entry.stats.ok++
        return true
      })
      // The socket was closed meanwhile, so nobody reads this answer.
      if (this.#untrack(pending)) reply(call, new RpcError('UNAVAILABLE', 'The socket was closed'))
    } catch (error) {
      if (this.#untrack(pending)) this.#fail(call, entry, error, reply)
    }
  }

  #checkSubscriptions(connection: Connection): void {
    if (connection.following.size < this.#limits.subscriptions) return
    throw new RpcError('RATE_LIMITED', 'Too many subscriptions', { retryAfterMs: 1000 })
  }

  #fail(call: Call<Tx>, entry: Entry, error: unknown, reply: Reply): void {
    const answer = this.#executor.toRpcError(call, entry, error)
    entry.stats.fail(answer.code)
    reply(call, answer)
  }
}

/** `OK`, or the code of the error. The answer of a write comes as text, and may be an error that was kept. */
function outcomeOf(answer: Body | RpcError): string {
  if (answer instanceof RpcError) return answer.code
  return typeof answer === 'string' ? (errorOfKept(answer) ?? 'OK') : 'OK'
}
