import { closeCodes, type Limits } from '../protocol/index.ts'
import { answer, answerBad, answerError, type Body, refuse } from './answers.ts'
import { builtins } from './builtins.ts'
import { Call, type Caller } from './call.ts'
import { Connection, type Peer } from './connection.ts'
import { Connections } from './connections.ts'
import { Deadlines } from './deadlines.ts'
import type { AnySubscription, Module } from './definition.ts'
import { RpcError } from './errors.ts'
import { Executor, type ExecutorOptions } from './executor.ts'
import type { Hub } from './hub.ts'
import { invalid } from './issues.ts'
import { faultsOf } from './output.ts'
import { readEnvelope } from './read-envelope.ts'
import { createRegistry, type Entry } from './registry.ts'
import { Rounds } from './rounds.ts'

export interface DispatcherOptions<Ctx, Tx> extends ExecutorOptions<Ctx, Tx> {
  readonly modules: readonly Module[]
  readonly limits: Limits
  readonly hub: Hub
}

/** What an input without an envelope is answered by. */
const INPUT_EID = 'input'
const SWEEP_MS = 100
/** Sockets are looked at as often, but not all at once. */
const LOOK_MS = 10
const DRAIN_STEP_MS = 20

/** A socket's request that is being executed. */
interface Pending {
  readonly connection: Connection
  readonly entry: Entry
  readonly call: Call
  readonly startedAt: number
}

/** Routes envelopes to methods and subscriptions, and their answers back. */
export class Dispatcher<Ctx, Tx> {
  readonly connections = new Connections()
  readonly entries: ReadonlyMap<string, Entry>
  readonly #options: DispatcherOptions<Ctx, Tx>
  readonly #ping: Entry | undefined
  readonly #executor: Executor<Ctx, Tx>
  readonly #pending: Deadlines<Pending>
  readonly #backlogs: Rounds<Connection>
  readonly #sweeper: NodeJS.Timeout
  readonly #looker: NodeJS.Timeout
  #nextId = 1

  constructor(options: DispatcherOptions<Ctx, Tx>) {
    this.#options = options
    this.#executor = new Executor(options)
    const own: Module = { name: 'rpc', methods: { ...builtins(options.hub) }, subscriptions: {} }
    this.entries = createRegistry([own, ...options.modules])
    this.#ping = this.entries.get('rpc.ping')
    this.#pending = new Deadlines(options.limits.requestMs, (pending) => this.#expire(pending))
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS)
    this.#backlogs = new Rounds(this.connections, SWEEP_MS / LOOK_MS)
    this.#looker = setInterval(() => this.#look(), LOOK_MS)
  }

  /** Requests that wait for their answer. */
  get inFlight(): number {
    return this.#pending.size
  }

  open(caller: Caller, peer: Peer): Connection {
    const connection = new Connection(`${this.#nextId++}`, caller, peer, this.#options.limits, Date.now())
    this.connections.add(connection)
    return connection
  }

  /** Forgets a socket that is gone; what it asked goes on, but is no longer answered. */
  close(connection: Connection): void {
    connection.closed = true
    this.#options.hub.leaveAll(connection)
    this.connections.delete(connection)
  }

  /** Takes one text frame. Never throws. */
  receive(connection: Connection, text: string): void {
    const now = Date.now()
    const read = readEnvelope(text, this.#options.limits.jsonDepth)
    const entry = 'message' in read ? this.entries.get(read.message.type) : undefined
    const waitMs = (entry && isInput(entry) ? connection.inputs : connection.requests).take(now)
    if ('bad' in read) {
      if (waitMs > 0) refuse(connection, waitMs, read.type, read.eid)
      else answerBad(connection, read.bad, read.type, read.eid)
      return
    }
    const { message, unstorable } = read
    if (waitMs > 0) {
      refuse(connection, waitMs, message.type, message.eid)
      return
    }
    if (connection.refused > 0) connection.refused--
    if (!entry) {
      answerError(connection, message.type, message.eid, new RpcError('UNKNOWN_TYPE', 'There is no such type'))
      return
    }
    if (unstorable) {
      answerError(connection, entry.type, message.eid, invalid([unstorable]))
      return
    }
    this.#start(connection, entry, message.eid, message.data, now)
  }

  /**
   * Takes one input that came in a frame of its own protocol, as `type` would: counted against the limit of inputs,
   * and answered only on an error, with `input` for its eid. Never throws.
   */
  receiveInput(connection: Connection, type: string, take: (user: NonNullable<Caller['user']>) => void): void {
    const now = Date.now()
    connection.lastRequestAt = now
    const waitMs = connection.inputs.take(now)
    if (waitMs > 0) {
      refuse(connection, waitMs, type, INPUT_EID)
      return
    }
    if (connection.refused > 0) connection.refused--
    const entry = this.entries.get(type)
    if (!entry) {
      answerError(connection, type, INPUT_EID, new RpcError('UNKNOWN_TYPE', 'There is no such type'))
      return
    }
    entry.calls++
    try {
      const { user } = connection.caller
      if (!user) throw new RpcError('UNAUTHENTICATED', 'Sign in first')
      this.#executor.refuseWhenDraining()
      take(user)
    } catch (error) {
      this.#fail(connection, entry, INPUT_EID, error)
    }
  }

  /** Answers a frame that the transport could not even read as text. Counted like a request. Never throws. */
  badFrame(connection: Connection, reason: string): void {
    const now = Date.now()
    const waitMs = connection.requests.take(now)
    if (waitMs > 0) refuse(connection, waitMs)
    else answerBad(connection, reason)
  }

  /** Holds an event against the schema of its subscription; what does not fit is logged, and goes out all the same. */
  inspectEvent(type: string, event: unknown): void {
    const definition = this.entries.get(type)?.definition
    if (definition?.kind !== 'subscription') return
    const issues = faultsOf(definition.event, event)
    if (issues.length > 0) this.#options.log.error({ type, issues }, 'an event is against its schema')
  }

  /**
   * Refuses new requests, and sends away every socket as soon as nothing of its own is under way: one slow request
   * keeps one client. Resolves when none waits any more, or after `deadlineMs`.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.#executor.drain()
    const until = Date.now() + deadlineMs
    this.#sendIdleAway()
    while (this.#pending.size > 0 && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, DRAIN_STEP_MS))
      this.#sendIdleAway()
    }
  }

  #sendIdleAway(): void {
    for (const { inFlight, peer } of [...this.connections]) {
      if (inFlight === 0) peer.close(closeCodes.nodeLeaving, 'the node is leaving')
    }
  }

  stop(): void {
    clearInterval(this.#sweeper)
    clearInterval(this.#looker)
  }

  #start(connection: Connection, entry: Entry, eid: string, data: unknown, now: number): void {
    entry.calls++
    // A heartbeat is a sign of life, but asks for nothing.
    if (entry !== this.#ping) connection.lastRequestAt = now
    if (connection.inFlight >= this.#options.limits.requestsInFlight) {
      const error = new RpcError('RATE_LIMITED', 'Too many requests wait for their answer', { retryAfterMs: 100 })
      this.#fail(connection, entry, eid, error)
      return
    }
    const call = new Call<Tx>(connection.caller, connection, entry.type, eid)
    if (entry.definition.kind === 'subscription') {
      const pending = this.#track(connection, entry, call, now)
      void this.#subscribe(pending, entry.definition, data, now).finally(() => this.#untrack(pending))
      return
    }
    let body: Body | Promise<Body>
    try {
      body = this.#executor.execute(call, entry, entry.definition, data, now)
    } catch (error) {
      this.#fail(connection, entry, eid, error)
      return
    }
    if (body instanceof Promise) {
      const pending = this.#track(connection, entry, call, now)
      void this.#settle(pending, body)
      return
    }
    entry.totalMs += Date.now() - now
    if (!isInput(entry)) answer(connection, entry.type, eid, body)
  }

  #track(connection: Connection, entry: Entry, call: Call, startedAt: number): Pending {
    const pending = { connection, entry, call, startedAt }
    connection.inFlight++
    this.#pending.start(pending, startedAt)
    return pending
  }

  /** False when the deadline has answered already. */
  #untrack(pending: Pending): boolean {
    if (!this.#pending.finish(pending)) return false
    pending.connection.inFlight--
    pending.entry.totalMs += Date.now() - pending.startedAt
    return true
  }

  async #settle(pending: Pending, body: Promise<Body>): Promise<void> {
    const { connection, entry, call } = pending
    try {
      const settled = await body
      if (!this.#untrack(pending)) return
      if (!isInput(entry)) answer(connection, entry.type, call.eid, settled)
    } catch (error) {
      if (this.#untrack(pending)) this.#fail(connection, entry, call.eid, error)
      else this.#executor.toRpcError(entry, call.eid, error)
    }
  }

  #expire(pending: Pending): void {
    const { connection, entry, call } = pending
    connection.inFlight--
    call.abort()
    this.#fail(connection, entry, call.eid, new RpcError('TIMEOUT', 'The answer took too long', { retryAfterMs: 1000 }))
  }

  async #subscribe(pending: Pending, subscription: AnySubscription, data: unknown, now: number): Promise<void> {
    const { connection, entry, call } = pending
    try {
      const input = this.#executor.admit(call, entry, data, now)
      this.#checkSubscriptions(connection)
      const read = () => this.#executor.open(call as Call<Tx>, entry, subscription, input)
      await this.#options.hub.follow(connection, subscription.delivery, read, (opening) => {
        // Others may have been opened while this one was read.
        this.#checkSubscriptions(connection)
        if (!this.#untrack(pending)) return false
        answer(connection, entry.type, call.eid, { data: opening })
        return true
      })
    } catch (error) {
      if (this.#untrack(pending)) this.#fail(connection, entry, call.eid, error)
    }
  }

  #checkSubscriptions(connection: Connection): void {
    if (connection.following.size < this.#options.limits.subscriptions) return
    throw new RpcError('RATE_LIMITED', 'Too many subscriptions', { retryAfterMs: 1000 })
  }

  #fail(connection: Connection, entry: Entry, eid: string, error: unknown): void {
    entry.failures++
    answerError(connection, entry.type, eid, this.#executor.toRpcError(entry, eid, error))
  }

  #look(): void {
    const { hub } = this.#options
    this.#backlogs.next((connection) => hub.checkBacklog(connection))
  }

  #sweep(): void {
    const now = Date.now()
    const { hub } = this.#options
    this.#pending.sweep(now)
    hub.sweep(now)
    this.#executor.sweep(now)
  }
}

function isInput({ definition }: Entry): boolean {
  return definition.kind === 'method' && definition.effect === 'input'
}
