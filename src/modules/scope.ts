import type { Db, Tx } from '../db/database.ts'
import { type RetryOptions, withRetry } from '../db/retry.ts'
import type { Sql } from '../db/sql.ts'
import type { Platform } from './platform.ts'

/** What reads and writes go through in one request: the transaction of a write, else the plain client. */
export interface Scope {
  readonly db: Db | Tx
  readonly sql: Sql
  /** Runs `effect` once what this request wrote is committed. */
  afterCommit(effect: () => void): void
}

/**
 * Runs `work` in a transaction of its own, for what no request asked for. Effects wait for the commit; a conflict
 * with another transaction runs it again from the start, and with `idempotent` a broken connection does too. An effect
 * that fails is logged: what was committed stands, and the other effects run.
 */
export async function inTransaction<T>(
  platform: Platform,
  work: (scope: Scope) => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  const { result, effects } = await withRetry(async () => {
    const effects: (() => void)[] = []
    const result = await platform.database.transaction((transaction) =>
      work({
        sql: transaction.sql,
        get db() {
          return transaction.db
        },
        afterCommit: (effect) => effects.push(effect),
      }),
    )
    return { result, effects }
  }, options)
  for (const effect of effects) {
    try {
      effect()
    } catch (error) {
      platform.log.app.error({ err: error }, 'an effect of a committed transaction failed')
    }
  }
  return result
}

/** Reads and writes outside of any transaction. */
export function plainScope(platform: Platform): Scope {
  return { db: platform.database.db, sql: platform.database.sql, afterCommit: (effect) => effect() }
}
