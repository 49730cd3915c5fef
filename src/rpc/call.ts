import type { Connection } from './connection.ts'

/** A signed-in user, as the session look-up found them. */
export interface CallerUser {
  readonly id: string
  readonly username: string
  readonly displayName: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
}

/** Who asks, as the upgrade or the HTTP request established it. */
export interface Caller {
  readonly user: CallerUser | null
  readonly sessionId: string | null
  /** The address, after trusted proxies. */
  readonly ip: string
  /** The browser's claim about itself, cut to 200 characters. */
  readonly userAgent: string
  /** A browser that somebody signed in with before, from its signed cookie: its id and the ids of those users. */
  readonly device: { readonly id: string; readonly users: readonly string[] } | null
}

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
  #abort: AbortController | undefined
  #aborted = false

  constructor(caller: Caller, connection: Connection | null, type: string, eid: string) {
    this.caller = caller
    this.connection = connection
    this.type = type
    this.eid = eid
  }

  /** Aborts when the deadline has passed. Made on first use, as most handlers never look. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#aborted) this.#abort.abort()
    return this.#abort.signal
  }

  abort(): void {
    this.#aborted = true
    this.#abort?.abort()
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
