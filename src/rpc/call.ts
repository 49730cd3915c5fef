import type { Connection } from './connection.ts'
import type { Caller } from './sessions.ts'

/** One request while it is being executed. */
export class Call<Tx = unknown> {
  readonly caller: Caller
  /** Null over HTTP. */
  readonly connection: Connection | null
  readonly type: string
  readonly eid: string
  /** The transaction of a write, set while its handler runs. */
  tx: Tx | null = null
  #effects: (() => void)[] | undefined

  constructor(caller: Caller, connection: Connection | null, type: string, eid: string) {
    this.caller = caller
    this.connection = connection
    this.type = type
    this.eid = eid
  }

  /** Runs `effect` once what the handler wrote is committed; at once where there is no transaction. */
  afterCommit(effect: () => void): void {
    if (this.tx === null) effect()
    else {
      this.#effects ??= []
      this.#effects.push(effect)
    }
  }

  /** Runs the effects in their order; one that fails takes none of the others with it. Called by the dispatcher. */
  committed(onError: (error: unknown) => void): void {
    const effects = this.#effects
    this.rolledBack()
    for (const effect of effects ?? []) {
      try {
        effect()
      } catch (error) {
        onError(error)
      }
    }
  }

  /** Forgets the effects of a transaction that did not commit. Called by the dispatcher. */
  rolledBack(): void {
    this.#effects = undefined
    this.tx = null
  }
}
