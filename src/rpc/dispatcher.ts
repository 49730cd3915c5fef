import { closeCodes, type ErrorData, type Limits, UNREADABLE } from '../protocol/index.ts'
import { Admission } from './admission.ts'
import { Call, CallIds } from './call.ts'
import { type Connection, type ConnectionStart, Connections } from './connection.ts'
import { type DrainOptions, drainSockets } from './drain-sockets.ts'
import { answer, answerBad, answerError, type Body, type Known, peek, readEnvelope, recognizerOf } from './envelope.ts'
import { faultsOf, invalid, RpcError } from './errors.ts'
import { Executor, type ExecutorOptions } from './executor.ts'
import { IncrementalSweep } from './incremental-sweep.ts'
import type { Module } from './module.ts'
import { type CallObserver, PendingCalls, type Reply } from './pending-calls.ts'
import { type BoundRoute, bindRoutes, builtins, createRegistry, type Entry, isInput } from './registry.ts'
import type { Caller } from './sessions.ts'
import type { Hub } from './stream-hub.ts'

export interface DispatcherOptions<Ctx, Tx> extends ExecutorOptions<Ctx, Tx> {
  readonly modules: readonly Module[]
  readonly limits: Limits
  readonly hub: Hub
  /** Absent, it costs nothing. */
  readonly observer?: CallObserver | undefined
}

const SWEEP_MS = 100
const SWEEP_LIMITERS_MS = 60_000
/** Each socket's backlog is checked every SWEEP_MS, a share of the sockets every LOOK_MS. */
const LOOK_MS = 10

/**
 * Takes frames to methods and subscriptions, and their answers back. Everything from outside passes `admission` first:
 * frames here, upgrades and HTTP requests in the transport.
 */
export class Dispatcher<Ctx, Tx> {
  readonly connections = new Connections()
  readonly entries: ReadonlyMap<string, Entry>
  /** The HTTP addresses of the modules. */
  readonly routes: readonly BoundRoute[]
  /** All entries: also those that only a route has. */
  readonly counted: readonly Entry[]
  readonly admission: Admission
  readonly #options: DispatcherOptions<Ctx, Tx>
  readonly #ping: Entry | undefined
  readonly #beginsLikeInput: (frame: Buffer) => boolean
  readonly #binaryInputs: readonly Entry[]
  readonly #executor: Executor<Ctx, Tx>
  readonly #calls: PendingCalls<Ctx, Tx>
  /** Frames that no type has answered. */
  readonly unread = { badEnvelopes: 0, unknownTypes: 0 }
  readonly #timers: readonly NodeJS.Timeout[]
  #limitersSweptAt = 0
  readonly #callIds: CallIds
  #nextId = 1

  constructor(options: DispatcherOptions<Ctx, Tx>) {
    this.#options = options
    this.#callIds = new CallIds(options.hub.bus.node)
    this.admission = new Admission(options.limits)
    this.#executor = new Executor(options, this.admission)
    const own: Module = { name: 'rpc', methods: { ...builtins(options.hub) }, subscriptions: {} }
    this.entries = createRegistry([own, ...options.modules])
    this.routes = bindRoutes(options.modules, this.entries)
    this.counted = [...new Set([...this.entries.values(), ...this.routes.map(({ entry }) => entry)])]
    this.#ping = this.entries.get('rpc.ping')
    const inputs = [...this.entries.values()].filter(isInput)
    this.#beginsLikeInput = recognizerOf(inputs.map(({ type }) => type))
    this.#binaryInputs = inputs.filter(({ binary }) => binary)
    this.#calls = new PendingCalls(options.limits, options.hub, this.#executor, options.observer)
    const backlogs = new IncrementalSweep(this.connections, SWEEP_MS / LOOK_MS)
    const look = () => backlogs.next((connection) => options.hub.checkBacklog(connection))
    this.#timers = [setInterval(() => this.#sweep(), SWEEP_MS), setInterval(look, LOOK_MS)]
  }

  /** Requests that were answered since the start. */
  get answered(): number {
    let answered = 0
    for (const { stats } of this.counted) {
      answered += stats.ok
      for (const failures of stats.failed.values()) answered += failures
    }
    return answered
  }

  /** Requests that have no answer yet. */
  get inFlight(): number {
    return this.#calls.size
  }

  /** What a connection of `caller` is constructed with. Call `open` and `close` afterwards. */
  admit(caller: Caller): ConnectionStart {
    return { id: `${this.#nextId++}`, caller, allowance: this.admission.allow(caller) }
  }

  open(connection: Connection): void {
    this.connections.add(connection)
  }

  /** Call this when the socket is closed. Its requests go on, but are not answered. */
  close(connection: Connection): void {
    if (connection.closed) return
    connection.closed = true
    this.#options.hub.leaveAll(connection)
    this.admission.release(connection.allowance)
    this.connections.delete(connection)
  }

  /**
   * Calls a method for an admitted HTTP request. Gives the `data` of the answer.
   *
   * @param data JSON, or a function that makes it once the caller may call the method
   * @throws RpcError an error answer
   */
  async call(caller: Caller, entry: Entry, data: unknown, eid: string): Promise<unknown> {
    const call = new Call<Tx>(caller, null, entry.type, eid, this.#callIds)
    const answer = await new Promise<Body | RpcError>((resolve) => {
      this.#calls.start(call, entry, data, performance.now(), (_, answer) => resolve(answer))
    })
    if (answer instanceof RpcError) throw answer
    if (typeof answer !== 'string') return answer.data
    // The answer of a write was kept, and may be an error.
    const kept: { data: unknown; error?: string } = JSON.parse(answer)
    if (kept.error === undefined) return kept.data
    const { message, ...details } = kept.data as ErrorData
    throw new RpcError(kept.error, message, details)
  }

  /** Takes one text frame, of valid UTF-8, that came at `now` by the monotonic clock. Never throws. */
  receive(connection: Connection, frame: ArrayBuffer, now = performance.now()): void {
    const bytes = Buffer.from(frame)
    const { allowance } = connection
    const isCountedAsInput = this.#beginsLikeInput(bytes)
    const waitMs = this.admission.frame(allowance, bytes.length, now, isCountedAsInput ? 'inputs' : 'requests')
    if (waitMs > 0) {
      this.#refuse(connection, bytes.length, waitMs, now, () => peek(bytes))
      return
    }
    if (bytes.length > allowance.maxFrameBytes) {
      this.#refuseUnread(connection, `over ${allowance.maxFrameBytes} bytes, the most for this socket`, peek(bytes))
      return
    }
    const read = readEnvelope(bytes.toString(), this.#options.limits.jsonDepth, this.entries)
    if ('bad' in read) {
      this.#refuseUnread(connection, read.bad, read)
      return
    }
    const { message, unstorable } = read
    const entry = this.entries.get(message.type)
    if (isCountedAsInput && !(entry && isInput(entry))) {
      // It begins like an input but is none: a key may occur twice.
      const requestWaitMs = this.admission.frame(allowance, 0, now)
      if (requestWaitMs > 0) {
        this.#refuse(connection, bytes.length, requestWaitMs, now, () => message)
        return
      }
    }
    if (!entry) {
      this.unread.unknownTypes++
      answerError(connection, message, unknownType())
      return
    }
    if (unstorable) {
      entry.stats.fail('VALIDATION_FAILED')
      answerError(connection, message, invalid([unstorable]))
      return
    }
    // The SDK pings by itself, so a ping does not show that anybody uses the socket.
    if (entry !== this.#ping) connection.lastRequestAt = now
    const call = new Call<Tx>(connection.caller, connection, entry.type, message.eid, this.#callIds)
    this.#calls.start(call, entry, message.data, now, isInput(entry) ? refusalsToSocket : toSocket)
  }

  /** Gives a binary frame to the first method that knows it. The bytes are lent until this returns. Never throws. */
  receiveBinary(connection: Connection, bytes: Uint8Array, now = performance.now()): void {
    const [first] = this.#binaryInputs
    const { allowance } = connection
    const waitMs = this.admission.frame(allowance, bytes.length, now, first ? 'inputs' : 'requests')
    if (waitMs > 0) {
      this.#refuse(connection, bytes.length, waitMs, now, () => ({
        type: first?.type,
        eid: first?.binary?.eidOf(bytes),
      }))
      return
    }
    connection.lastRequestAt = now
    for (const entry of this.#binaryInputs) {
      const call = new Call<Tx>(connection.caller, connection, entry.type, '', this.#callIds)
      try {
        const received = this.#executor.receiveBinary(call, entry, bytes)
        if (received instanceof Promise) {
          const eid = eidOfFrame(entry, bytes)
          const taken = () => void entry.stats.ok++
          received.then(taken, (error) => this.#refuseFrame(connection, call, entry, eid, error))
          return
        }
        if (received) {
          entry.stats.ok++
          return
        }
      } catch (error) {
        this.#refuseFrame(connection, call, entry, eidOfFrame(entry, bytes), error)
        return
      }
    }
    this.#refuseUnread(connection, 'no binary frame of this server')
  }

  #refuseUnread(connection: Connection, reason: string, known?: Known): void {
    this.unread.badEnvelopes++
    answerBad(connection, reason, known)
  }

  #refuseFrame(connection: Connection, call: Call<Tx>, entry: Entry, eid: string, error: unknown): void {
    const refusal = this.#executor.toRpcError(call, entry, error, eid)
    entry.stats.fail(refusal.code)
    answerError(connection, { type: entry.type, eid }, refusal)
  }

  /** Checks an event against the schema of its subscription. An invalid event is logged and sent anyway. */
  inspectEvent(type: string, event: unknown): void {
    const definition = this.entries.get(type)?.definition
    if (definition?.kind !== 'subscription') return
    const issues = faultsOf(definition.event, event)
    if (issues.length > 0) this.#options.log.error({ type, issues }, 'an event does not fit its schema')
  }

  /**
   * Tells the sockets in batches to come back elsewhere. Resolves when none is left and no request is under way, or after
   * `deadlineMs`, or when `signal` aborts.
   */
  drain(deadlineMs: number, options: Partial<DrainOptions> = {}): Promise<void> {
    const { isBusy = () => false, keeps = () => false, signal } = options
    const isBusyHere = () => this.#calls.size > 0 || isBusy()
    return drainSockets(this.connections, deadlineMs, { isBusy: isBusyHere, keeps, signal })
  }

  /** From now on every request is refused with UNAVAILABLE. */
  refuseRequests(): void {
    this.#executor.refuseRequests()
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer)
  }

  /** Answers a frame that is over a limit, up to so many answers a second. A socket with too many such frames is closed. */
  #refuse(connection: Connection, bytes: number, waitMs: number, now: number, known: () => Known): void {
    const refusal = connection.allowance.refuse(bytes, now)
    if (refusal === 'close') connection.close(closeCodes.tooFast, 'too many requests')
    if (refusal !== 'answer') return
    answerError(connection, known(), new RpcError('RATE_LIMITED', 'Too many requests', { retryAfterMs: waitMs }))
  }

  #sweep(): void {
    const now = performance.now()
    this.#calls.sweep(now)
    this.#options.hub.sweep(now)
    this.admission.sweep(now)
    this.connections.sweep(now)
    if (now - this.#limitersSweptAt < SWEEP_LIMITERS_MS) return
    this.#limitersSweptAt = now
    this.admission.wrongTokens.sweep(now)
    for (const { limiter } of this.counted) limiter?.sweep(now)
  }
}

/** Answers on the socket that the frame came from. */
const toSocket: Reply = (call, body) => {
  const { connection, type, eid } = call
  if (!connection) return
  if (body instanceof RpcError) answerError(connection, call, body)
  else answer(connection, type, eid, body)
}

/** An input is answered only when it is refused. */
const refusalsToSocket: Reply = (call, answer) => {
  if (answer instanceof RpcError) toSocket(call, answer)
}

function eidOfFrame({ binary }: Entry, bytes: Uint8Array): string {
  return binary?.eidOf(bytes) ?? UNREADABLE.eid
}

function unknownType(): RpcError {
  return new RpcError('UNKNOWN_TYPE', 'There is no such type')
}
