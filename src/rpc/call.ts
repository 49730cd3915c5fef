import type { Connection } from './connection.ts'
import type { Caller } from './sessions.ts'

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

  constructor(caller: Caller, connection: Connection | null, type: string, eid: string) {
    this.caller = caller
    this.connection = connection
    this.type = type
    this.eid = eid
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
