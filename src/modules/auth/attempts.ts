import type { Db } from '../../db/client.ts'

/** How many attempts are let through, and what happens then. Times in milliseconds. */
export interface AttemptRule {
  /** Attempts in a window, which begins with the first of them. */
  readonly limit: number
  readonly windowMs: number
  /**
   * The last attempt of the window begins a lock of `firstMs`, and each further lock lasts twice as long, up to `maxMs`.
   * The doubling starts over after a success, or when the last lock has been over for `forgetMs`. Without `lock`, what
   * is too much is refused until the window is over.
   */
  readonly lock?: { readonly firstMs: number; readonly maxMs: number; readonly forgetMs: number }
}

/** An attempt that was let through, and counted already. */
export interface Attempt {
  readonly key: string
  readonly windowStart: Date
}

export type Taken =
  | { readonly attempt: Attempt }
  /** Not let through; whether it was right is not looked at. */
  | { readonly retryAfterMs: number }

interface Row {
  readonly failures: number
  readonly windowStart: Date
  readonly lockedUntil: Date | null
}

/** A refusal is believed for so long without asking the database again, so that a flood costs it next to nothing. */
const REMEMBER_REFUSAL_MS = 1_000
const MAX_REFUSALS = 10_000

/**
 * Counts attempts in the database, so that all nodes count together and a restart forgets nothing. An attempt is
 * counted before it is looked at, in one statement: however many come at once, no more than the limit are let through.
 */
export class Attempts {
  readonly #db: Db
  readonly #now: () => number
  /** The last attempt under way of each key: one key occupies one connection, however many ask. */
  readonly #turns = new Map<string, Promise<unknown>>()
  readonly #refusals = new Map<string, { readonly until: number; readonly askAgainAt: number }>()

  constructor(db: Db, now: () => number) {
    this.#db = db
    this.#now = now
  }

  async take(key: string, rule: AttemptRule): Promise<Taken> {
    const before = this.#turns.get(key)
    const turn = (before ?? Promise.resolve()).then(
      () => this.#take(key, rule),
      () => this.#take(key, rule),
    )
    this.#turns.set(key, turn)
    try {
      return await turn
    } finally {
      if (this.#turns.get(key) === turn) this.#turns.delete(key)
    }
  }

  /** Gives an attempt back that turned out to be no failure. */
  async giveBack({ key, windowStart }: Attempt): Promise<void> {
    this.#refusals.delete(key)
    await this.#db.attempt.updateMany({
      where: { key, windowStart, failures: { gt: 0 } },
      data: { failures: { decrement: 1 } },
    })
  }

  /** Forgets all failures and locks of a key, after a success. */
  async reset({ key }: Attempt): Promise<void> {
    this.#refusals.delete(key)
    await this.#db.attempt.deleteMany({ where: { key } })
  }

  async #take(key: string, rule: AttemptRule): Promise<Taken> {
    const now = this.#now()
    const refusal = this.#refusals.get(key)
    if (refusal && refusal.askAgainAt > now) return { retryAfterMs: refusal.until - now }
    const { failures, windowStart, lockedUntil } = await this.#count(key, rule, new Date(now))
    if (failures <= rule.limit) return { attempt: { key, windowStart } }
    const until = Math.max(lockedUntil?.getTime() ?? 0, rule.lock ? 0 : windowStart.getTime() + rule.windowMs, now + 1)
    this.#refusals.delete(key)
    this.#refusals.set(key, { until, askAgainAt: Math.min(until, now + REMEMBER_REFUSAL_MS) })
    if (this.#refusals.size > MAX_REFUSALS) this.#refusals.delete(this.#refusals.keys().next().value ?? key)
    return { retryAfterMs: until - now }
  }

  /**
   * One more attempt. `failures` stands at one above the limit while attempts are refused; `locked_until` stays when
   * the lock is over, as the doubling is forgotten by it.
   */
  async #count(key: string, rule: AttemptRule, now: Date): Promise<Row> {
    const { limit, windowMs, lock } = rule
    const [row] = await this.#db.$queryRaw<Row[]>`
      INSERT INTO attempts AS a (key, failures, window_start, locks, locked_until)
      VALUES (${key}, 1, ${now}::timestamptz, 0, NULL)
      ON CONFLICT (key) DO UPDATE SET (failures, window_start, locks, locked_until) = (
        SELECT
          counted.failures,
          CASE WHEN state.fresh THEN ${now}::timestamptz ELSE a.window_start END,
          CASE WHEN counted.locks THEN state.locks + 1 ELSE state.locks END,
          CASE WHEN counted.locks
            THEN ${now}::timestamptz + LEAST(
              ${lock?.firstMs ?? 0}::double precision * power(2, LEAST(state.locks, 30)),
              ${lock?.maxMs ?? 0}::double precision
            ) * interval '1 millisecond'
            ELSE a.locked_until END
        FROM (
          SELECT
            COALESCE(a.locked_until > ${now}::timestamptz, false) AS locked,
            NOT COALESCE(a.locked_until > ${now}::timestamptz, false) AND (
              a.window_start <= ${now}::timestamptz - ${windowMs}::double precision * interval '1 millisecond'
              OR COALESCE(a.window_start < a.locked_until, false)
            ) AS fresh,
            CASE WHEN a.locked_until
                <= ${now}::timestamptz - ${lock?.forgetMs ?? 0}::double precision * interval '1 millisecond'
              THEN 0 ELSE a.locks END AS locks
        ) AS state
        CROSS JOIN LATERAL (
          SELECT CASE WHEN state.fresh THEN 1 ELSE LEAST(a.failures + 1, ${limit}::int + 1) END AS failures
        ) AS next
        CROSS JOIN LATERAL (
          SELECT
            next.failures,
            ${lock !== undefined}::boolean AND NOT state.locked AND next.failures = ${limit}::int AS locks
        ) AS counted
      )
      RETURNING failures, window_start AS "windowStart", locked_until AS "lockedUntil"`
    if (!row) throw new Error('counting an attempt answered no row')
    return row
  }
}
