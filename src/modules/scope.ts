import { type RetryOptions, withRetry } from '../db/retry.ts'
import { runEffects } from '../rpc/index.ts'
import type { Platform, Scope } from './platform.ts'

export type { Scope } from './platform.ts'

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
