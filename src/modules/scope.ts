import type { Tx } from '../db/client.ts'
import { withRetry } from '../db/retry.ts'
import type { Platform, Scope } from './context.ts'

/**
 * Runs `work` in a transaction of its own, for what no request asked for. Effects wait for the commit; a conflict
 * with another transaction runs it again from the start.
 */
export async function inTransaction<T>(platform: Platform, work: (scope: Scope) => Promise<T>): Promise<T> {
  const { result, effects } = await withRetry(async () => {
    const effects: (() => void)[] = []
    const result = await platform.database.db.$transaction((tx: Tx) =>
      work({ db: tx, afterCommit: (effect) => effects.push(effect) }),
    )
    return { result, effects }
  })
  for (const effect of effects) effect()
  return result
}
