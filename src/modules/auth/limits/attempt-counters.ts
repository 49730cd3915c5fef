import { withRetry } from '../../../db/retry.ts'
import { type Sql, statement } from '../../../db/sql.ts'
import { BoundedMap } from '../bounded-map.ts'

/** How many attempts are allowed, and what happens then. Times in milliseconds. */
export interface AttemptRule {
  /** Attempts in a window, which begins with the first of them. */
  readonly limit: number
  readonly windowMs: number
  /**
   * The last attempt of the window begins a lock of `firstMs`. Each further lock lasts twice as long, up to `maxMs`, until
   * a success or `forgetMs` without a lock. Without `lock`, further attempts are refused until the window is over.
   */
  readonly lock?: { readonly firstMs: number; readonly maxMs: number; readonly forgetMs: number }
}

/** A counter in the database and its rule. */
export interface Budget {
  readonly key: string
  readonly rule: AttemptRule
}

/** A counter that has counted an attempt, and the window in which it did. */
export interface Counted {
  readonly key: string
  readonly windowStart: Date
}

type Taken =
  | { readonly counted: readonly Counted[] }
  /** No counter has counted the attempt, and its code must not be checked. `key` refuses longest. */
  | { readonly refused: { readonly key: string; readonly retryAfterMs: number } }

/** Both in ms: `now` since the epoch, `elapsed` of a monotonic clock. */
export interface Clocks {
  readonly now: () => number
  readonly elapsed: () => number
}

interface Row extends Counted {
  /** Null when the attempt was counted here. */
  readonly refusedUntil: Date | null
  readonly failures: number
}

/** A refusal is repeated for this long without a query, so a flood costs the database almost nothing. */
const REMEMBER_REFUSAL_MS = 1_000
const MAX_REFUSALS = 10_000

/**
 * Counts one attempt under all of its keys, or under none if one of them refuses. Existing rows are locked in the order
 * of their keys and then checked. Rows that do not exist yet cannot be locked, so `take` compares each returned count
 * with its limit again. `locked_until` stays after a lock is over, because the reset of the doubling depends on it.
 */
const TAKE = statement<Row>(
  'attempts.take',
  `WITH asked AS MATERIALIZED (
     SELECT * FROM unnest($2::text[], $3::int[], $4::float8[], $5::float8[], $6::float8[], $7::float8[])
       AS asked (key, "limit", window_ms, first_ms, max_ms, forget_ms)
   ), held AS MATERIALIZED (
     SELECT a.*, asked."limit", asked.window_ms FROM attempts AS a JOIN asked USING (key) ORDER BY a.key FOR UPDATE OF a
   ), refused AS MATERIALIZED (
     SELECT key, failures, window_start,
       CASE WHEN locked_until > $1 THEN locked_until
         ELSE window_start + window_ms * interval '1 millisecond' END AS refused_until
     FROM held
     WHERE locked_until > $1 OR (
       failures >= "limit"
       AND window_start > $1::timestamptz - window_ms * interval '1 millisecond'
       AND (locked_until IS NULL OR window_start >= locked_until))
   ), counted AS (
     INSERT INTO attempts AS a (key, failures, window_start, locks, locked_until)
     SELECT key, 1, $1, 0, NULL FROM asked WHERE NOT EXISTS (SELECT FROM refused) ORDER BY key
     ON CONFLICT (key) DO UPDATE SET (failures, window_start, locks, locked_until) = (
       SELECT
         next.failures,
         CASE WHEN state.fresh THEN $1 ELSE a.window_start END,
         CASE WHEN next.locks THEN state.locks + 1 ELSE state.locks END,
         CASE WHEN next.locks
           THEN $1::timestamptz
             + LEAST(asked.first_ms * power(2, LEAST(state.locks, 30)), asked.max_ms) * interval '1 millisecond'
           ELSE a.locked_until END
       FROM asked
       CROSS JOIN LATERAL (
         SELECT
           NOT COALESCE(a.locked_until > $1, false) AND (
             a.window_start <= $1::timestamptz - asked.window_ms * interval '1 millisecond'
             OR COALESCE(a.window_start < a.locked_until, false)) AS fresh,
           CASE WHEN a.locked_until <= $1::timestamptz - asked.forget_ms * interval '1 millisecond'
             THEN 0 ELSE a.locks END AS locks
       ) AS state
       CROSS JOIN LATERAL (
         SELECT CASE WHEN state.fresh THEN 1 ELSE a.failures + 1 END AS failures
       ) AS count
       CROSS JOIN LATERAL (
         SELECT count.failures, asked.first_ms > 0 AND count.failures = asked."limit" AS locks
       ) AS next
       WHERE asked.key = a.key
     )
     RETURNING key, failures, window_start
   )
   SELECT key, failures, window_start AS "windowStart", refused_until AS "refusedUntil" FROM refused
   UNION ALL SELECT key, failures, window_start, NULL FROM counted`,
)

const SETTLE = statement(
  'attempts.settle',
  `WITH held AS MATERIALIZED (
     SELECT key FROM attempts WHERE key = ANY ($1::text[] || $2::text[]) ORDER BY key FOR UPDATE
   ), forgotten AS (
     DELETE FROM attempts WHERE key = ANY ($1::text[]) AND key IN (SELECT key FROM held)
   )
   UPDATE attempts SET failures = failures - 1
   FROM unnest($2::text[], $3::timestamptz[]) AS back (key, window_start)
   WHERE attempts.key = back.key AND attempts.window_start = back.window_start AND failures > 0
     AND attempts.key IN (SELECT key FROM held)`,
)

/** Counts attempts in the database, for all nodes, and before the code is checked, so that parallel ones count too. */
export class AttemptCounters {
  readonly #sql: Sql
  readonly #clocks: Clocks
  /** Times of the monotonic clock. */
  readonly #refusals = new BoundedMap<string, { readonly until: number; readonly askAgainAt: number }>(MAX_REFUSALS)

  constructor(sql: Sql, clocks: Clocks) {
    this.#sql = sql
    this.#clocks = clocks
  }

  /** A refusal of one of these keys that is remembered, without a query. */
  remembered(budgets: readonly Budget[]): Extract<Taken, { refused: object }> | null {
    const now = this.#clocks.elapsed()
    for (const { key } of budgets) {
      const refusal = this.#refusals.get(key)
      if (refusal && refusal.askAgainAt > now) return { refused: { key, retryAfterMs: refusal.until - now } }
    }
    return null
  }

  async take(budgets: readonly Budget[]): Promise<Taken> {
    const remembered = this.remembered(budgets)
    if (remembered) return remembered
    const now = this.#clocks.now()
    const rules = budgets.map(({ rule }) => rule)
    const values = [
      new Date(now),
      budgets.map(({ key }) => key),
      rules.map(({ limit }) => limit),
      rules.map(({ windowMs }) => windowMs),
      rules.map(({ lock }) => lock?.firstMs ?? 0),
      rules.map(({ lock }) => lock?.maxMs ?? 0),
      rules.map(({ lock }) => lock?.forgetMs ?? 0),
    ]
    const rows = await withRetry(() => this.#sql.rows(TAKE, values))
    let refused: { key: string; retryAfterMs: number } | undefined
    for (const { key, refusedUntil, failures, windowStart } of rows) {
      const rule = budgets.find((budget) => budget.key === key)?.rule
      if (!rule || (!refusedUntil && failures <= rule.limit)) continue
      const until = refusedUntil?.getTime() ?? windowStart.getTime() + rule.windowMs
      const retryAfterMs = Math.max(1, until - now)
      const elapsed = this.#clocks.elapsed()
      const askAgainAt = elapsed + Math.min(retryAfterMs, REMEMBER_REFUSAL_MS)
      this.#refusals.set(key, { until: elapsed + retryAfterMs, askAgainAt })
      if (!refused || refused.retryAfterMs < retryAfterMs) refused = { key, retryAfterMs }
    }
    return refused ? { refused } : { counted: rows.map(({ key, windowStart }) => ({ key, windowStart })) }
  }

  /** After a success: resets the counters and locks of `forgotten`, and takes one attempt back from `givenBack`. */
  async settle(forgotten: readonly string[], givenBack: readonly Counted[]): Promise<void> {
    const keys = givenBack.map(({ key }) => key)
    for (const key of [...forgotten, ...keys]) this.#refusals.delete(key)
    const starts = givenBack.map(({ windowStart }) => windowStart)
    await withRetry(() => this.#sql.rows(SETTLE, [forgotten, keys, starts]))
  }
}
