import type { Connection } from './connection.ts'
import type { Caller } from './sessions.ts'

/** Numbers the calls of one process. A number becomes an id only where somebody reads it. */
export class CallIds {
  readonly #prefix: string
  #last = 0

  /** @param node the id of this process, so that ids differ between nodes */
  constructor(node: string) {
    this.#prefix = node.slice(0, 8)
  }

  next(): number {
    this.#last++
    return this.#last
  }

  idOf(number: number): string {
    return `${this.#prefix}-${number.toString(36)}`
  }
}

/** One request while it is executed. */
export class Call<Tx = unknown> {
  readonly caller: Caller
  /** Null over HTTP. */
  readonly connection: Connection | null
  readonly type: string
  readonly eid: string
  /** The transaction of a write while its handler runs. */
  tx: Tx | null = null
  #effects: (() => void)[] | undefined
  readonly #ids: CallIds
  readonly #number: number

  constructor(caller: Caller, connection: Connection | null, type: string, eid: string, ids = new CallIds('')) {
    this.caller = caller
    this.connection = connection
    this.type = type
    this.eid = eid
    this.#ids = ids
    this.#number = ids.next()
  }

  /** Its id in logs, in traces and in the comments of SQL. Unlike the client's `eid` it is unique. */
  get id(): string {
    return this.#ids.idOf(this.#number)
  }

  /** What lines of the log name it by. */
  get logFields(): { callId: string; eid: string; userId?: string } {
    const { id: callId, eid } = this
    return { callId, eid, ...(this.caller.user && { userId: this.caller.user.id }) }
  }

  /** Runs `effect` after the commit, or at once without a transaction. */
  afterCommit(effect: () => void): void {
    if (this.tx === null) effect()
    else if (this.#effects === undefined) this.#effects = [effect]
    else this.#effects.push(effect)
  }

  /** The executor calls this after the commit. */
  committed(onError: (error: unknown) => void): void {
    const effects = this.#effects ?? []
    this.rolledBack()
    runEffects(effects, onError)
  }

  /** The executor calls this when the transaction was not committed: its effects are dropped. */
  rolledBack(): void {
    this.#effects = undefined
    this.tx = null
  }
}

/** Runs effects in order. If one fails, the others still run. */
export function runEffects(effects: readonly (() => void)[], onError: (error: unknown) => void): void {
  for (const effect of effects) {
    try {
      effect()
    } catch (error) {
      onError(error)
    }
  }
}
