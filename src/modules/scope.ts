import type { Db, Tx } from '../db/database.ts'
import { type RetryOptions, withRetry } from '../db/retry.ts'
import type { Sql } from '../db/sql.ts'
import { runEffects } from '../rpc/index.ts'
import type { Platform } from './platform.ts'

/** What a request reads and writes through: the transaction of a write, else the plain client. */
export interface Scope {
  readonly db: Db | Tx
  readonly sql: Sql
  /** Runs `effect` once what this request wrote is committed. */
  afterCommit(effect: () => void): void
}

/**
 * Runs `work` in a transaction, for work that no request asked for. A conflict with another transaction runs it again from
 * the start; so does a broken connection with `idempotent`. An effect that fails is logged, and the others still run.
 */
export async function inTransaction<T>(
  platform: Platform,
  work: (scope: Scope) => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  let effects: (() => void)[] = []
  const result = await withRetry(() => {
    effects = []
    return platform.database.transaction((transaction) =>
      work({
        sql: transaction.sql,
        get db() {
          return transaction.db
        },
        afterCommit: (effect) => effects.push(effect),
      }),
    )
  }, options)
  runEffects(effects, (error) => {
    platform.log.app.error({ err: error }, 'an effect of a committed transaction failed')
  })
  return result
}

/** As `inTransaction`, for work that may run twice: it runs again after a broken connection too. */
export function inIdempotentTransaction<T>(platform: Platform, work: (scope: Scope) => Promise<T>): Promise<T> {
  return inTransaction(platform, work, { idempotent: true })
}

/** Reads and writes outside of any transaction. */
export function plainScope(platform: Platform): Scope {
  return { db: platform.database.db, sql: platform.database.sql, afterCommit: (effect) => effect() }
}
