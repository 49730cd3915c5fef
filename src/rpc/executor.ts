import type { z } from 'zod'
import { type Admission, keysOf } from './admission.ts'
import type { Call } from './call.ts'
import type { Connection } from './connection.ts'
import { type AnyDefinition, type AnyMethod, type AnySubscription, declares, fail, type Opened } from './definition.ts'
import type { Body } from './envelope.ts'
import { errorData, faultsOf, invalid, RpcError, toIssues } from './errors.ts'
import type { Entry } from './registry.ts'
import { AnonymousAnswers, type Once, type WriteKey } from './write-once.ts'

export interface ExecutorOptions<Ctx, Tx> {
  readonly once: Once<Tx>
  /** Makes what handlers are given. */
  readonly createContext: (call: Call<Tx>) => Ctx
  /** Check outputs against their schemas, unknown keys too; on outside production. */
  readonly checkOutput: boolean
  /** Turns an error of a library into one that a client may see; `undefined` makes it `INTERNAL`. */
  readonly translateError: (error: unknown) => RpcError | undefined
  readonly log: { error(details: object, message: string): void }
}

/** Reads what a stream opens with. */
export type ReadOpening = () => Promise<Opened<unknown, unknown>>

/** Runs handlers as their definitions say: it checks access, limit and input, and executes a write once. */
export class Executor<Ctx, Tx> {
  readonly #options: ExecutorOptions<Ctx, Tx>
  readonly #admission: Admission
  readonly #anonymousAnswers = new WeakMap<Connection, AnonymousAnswers<Body>>()
  #isRefusing = false

  constructor(options: ExecutorOptions<Ctx, Tx>, admission: Admission) {
    this.#options = options
    this.#admission = admission
  }

  /** From now on every request is refused with UNAVAILABLE. */
  refuseRequests(): void {
    this.#isRefusing = true
  }

  /** Checks a request and runs its handler; synchronous if the handler is. Throws or rejects with any error. */
  execute(call: Call<Tx>, entry: Entry, method: AnyMethod, data: unknown, now: number): Body | Promise<Body> {
    const input = this.admit(call, entry, data, now)
    if (method.effect === 'write') return this.#write(call, entry, method, input, now)
    return this.#handle(call, entry, method, input)
  }

  #handle(call: Call<Tx>, entry: Entry, method: AnyMethod, input: unknown, prepared?: unknown): Body | Promise<Body> {
    const output = method.handle({ ctx: this.#options.createContext(call), input, fail, prepared })
    if (output instanceof Promise) return output.then((value) => this.#bodyOf(entry, method, value))
    return this.#bodyOf(entry, method, output)
  }

  #bodyOf(entry: Entry, method: AnyMethod, data: unknown): Body {
    if (this.#options.checkOutput) checkSchema(entry, method.output, data)
    return { data }
  }

  /**
   * Checks access, limit and input, in this order, and gives the parsed input. A user's write is counted against its limit
   * later, and only when it is executed: a retry must get its answer. `data` may be a function that makes it. @throws RpcError
   */
  admit(call: Call, entry: Entry, data: unknown, now: number): unknown {
    const { definition } = entry
    this.#checkAccess(call, definition)
    const isOnce = call.caller.user !== null && definition.kind === 'method' && definition.effect === 'write'
    if (!isOnce) this.#count(call, entry, now)
    // JSON has no functions.
    const parsed = definition.input.safeParse(typeof data === 'function' ? data() : data)
    if (!parsed.success) throw invalid(toIssues(parsed.error))
    return parsed.data
  }

  #checkAccess({ caller, connection }: Call, { access, scope }: AnyDefinition): void {
    if (access !== 'anyone') {
      if (!caller.user) throw new RpcError('UNAUTHENTICATED', 'Sign in first')
      if (access === 'admin' && caller.user.role !== 'admin') throw new RpcError('FORBIDDEN', 'This is for admins')
    }
    if (caller.token && scope !== 'any') {
      if (scope === 'none') throw new RpcError('FORBIDDEN', 'No token may do this: sign in')
      if (!caller.token.scopes.includes(scope)) {
        throw new RpcError('FORBIDDEN', `This token lacks the scope ${scope}`)
      }
    }
    if (this.#isRefusing || connection?.leaving) {
      throw new RpcError('UNAVAILABLE', 'This node is leaving', { retryAfterMs: 500 })
    }
  }

  #count(call: Call, { limiter }: Entry, now: number): void {
    if (!limiter) return
    const waitMs = this.#admission.call(limiter, keysOfCall(call), now)
    if (waitMs > 0) throw new RpcError('RATE_LIMITED', 'Too many requests of this kind', { retryAfterMs: waitMs })
  }

  /**
   * Runs a user's write in its transaction, or gives the answer that it had the first time. An answer that this process
   * remembers is given, and a write over its limit refused, before the database is asked.
   */
  async #write(call: Call<Tx>, entry: Entry, method: AnyMethod, input: unknown, now: number): Promise<Body> {
    const { user } = call.caller
    if (!user) return this.#writeAnonymously(call, entry, method, input)
    const { type, eid } = call
    const key = { userId: user.id, eid, type, isSecret: method.secretAnswer ?? false }
    const known = this.#options.once.recall(key)
    if (known !== undefined) return known
    this.#count(call, entry, now)
    const prepared = method.prepare && (await method.prepare({ ctx: this.#options.createContext(call), input }))
    return new Promise((resolve, reject) => {
      let isAnswered = false
      const onDoubt = () => {
        isAnswered = true
        reject(new RpcError('UNAVAILABLE', 'The database does not say whether this was done', { retryAfterMs: 1000 }))
      }
      this.#runOnce(call, entry, method, input, prepared, key, onDoubt).then(resolve, (error: unknown) => {
        if (isAnswered) this.toRpcError(call, entry, error)
        reject(error)
      })
    })
  }

  /** Executes a write in its transaction. `onDoubt` is called when the outcome is not known: the work goes on then. */
  async #runOnce(
    call: Call<Tx>,
    entry: Entry,
    method: AnyMethod,
    input: unknown,
    prepared: unknown,
    key: WriteKey,
    onDoubt: () => void,
  ): Promise<string> {
    const { once, log } = this.#options
    const { type } = call
    let ran = false
    try {
      const { answer, executed } = await once.run(
        key,
        async (tx) => {
          ran = true
          call.rolledBack()
          call.tx = tx
          return JSON.stringify(await this.#handle(call, entry, method, input, prepared))
        },
        // Nothing was decided by other errors: a retry executes again.
        (error) =>
          isDecided(entry, error) ? JSON.stringify({ data: errorData(error), error: error.code }) : undefined,
        onDoubt,
      )
      if (executed) {
        call.committed((error) =>
          log.error({ err: error, type, ...call.logFields }, 'an effect of a committed write failed'),
        )
      }
      return answer
    } catch (error) {
      call.rolledBack()
      throw error
    } finally {
      if (!ran && entry.limiter) this.#admission.takeBack(entry.limiter, keysOfCall(call))
    }
  }

  /** The answer of a write without a user is kept with its socket. */
  #writeAnonymously(call: Call<Tx>, entry: Entry, method: AnyMethod, input: unknown): Promise<Body> {
    const execute = async () => {
      const prepared = method.prepare && (await method.prepare({ ctx: this.#options.createContext(call), input }))
      return this.#handle(call, entry, method, input, prepared)
    }
    if (!call.connection) return execute()
    const answers = this.#anonymousAnswers.get(call.connection) ?? new AnonymousAnswers()
    this.#anonymousAnswers.set(call.connection, answers)
    return answers.run(call, execute, (error) => isDecided(entry, error))
  }

  /** `admit` for a subscription. Gives the function that reads what the stream opens with. @throws RpcError */
  admitOpening(call: Call<Tx>, entry: Entry, subscription: AnySubscription, data: unknown, now: number): ReadOpening {
    const { since, own } = withoutSince(data)
    const input = this.admit(call, entry, own, now)
    if (since !== undefined && (typeof since !== 'number' || !Number.isSafeInteger(since) || since < 0)) {
      throw invalid([{ path: 'since', message: 'has to be a seq of this stream' }])
    }
    return async () => {
      const opened = await subscription.open({ ctx: this.#options.createContext(call), input, since, fail })
      if (!this.#options.checkOutput) return opened
      if ('snapshot' in opened) checkSchema(entry, subscription.snapshot, opened.snapshot)
      else for (const { data } of opened.missed) checkSchema(entry, subscription.event, data)
      return opened
    }
  }

  /** Gives a binary frame to a method; false when it is no frame of that method. Throws or rejects with any error. */
  receiveBinary(call: Call<Tx>, { definition, binary }: Entry, bytes: Uint8Array): boolean | Promise<void> {
    this.#checkAccess(call, definition)
    return binary?.receive({ ctx: this.#options.createContext(call), bytes }) ?? false
  }

  /** The error for the client. An error that the client must not see becomes INTERNAL and is logged. */
  toRpcError(call: Call, entry: Entry, error: unknown, eid = call.eid): RpcError {
    const known = error instanceof RpcError ? error : this.#options.translateError(error)
    if (known && known.code !== 'INTERNAL' && declares(entry.definition, known.code)) return known
    this.#options.log.error({ err: error, type: entry.type, ...call.logFields, eid }, 'a handler failed')
    return new RpcError('INTERNAL', 'Something went wrong on the server')
  }
}

/** What a client asks of a stream, and the last `seq` that it knows, which no schema names. */
function withoutSince(data: unknown): { since?: unknown; own: unknown } {
  if (typeof data !== 'object' || data === null || !('since' in data)) return { own: data }
  const { since, ...own } = data
  return { since, own }
}

function keysOfCall({ caller, connection }: Call): readonly string[] {
  return connection?.allowance.keys ?? keysOf(caller)
}

function checkSchema(entry: Entry, schema: z.ZodType, value: unknown): void {
  const issues = faultsOf(schema, value)
  if (issues.length > 0)
    throw new Error(`${entry.type} answers what its schema does not allow: ${JSON.stringify(issues)}`)
}

/** Whether the definition declares this error, so that a retry gets it again. */
function isDecided({ definition }: Entry, error: unknown): error is RpcError {
  return error instanceof RpcError && definition.errors.includes(error.code)
}
