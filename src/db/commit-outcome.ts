import { setTimeout as delay } from 'node:timers/promises'
import { isUnavailable } from './retry.ts'
import { type Sql, statement } from './sql.ts'

/** The id of the transaction that this runs in. It tells the transaction from every other, also after it is over. */
export const TRANSACTION_ID = statement<{ xid: string }>('db.xid', 'SELECT pg_current_xact_id()::text AS xid')

/** `pg_xact_status`, see "Transaction ID and Snapshot Information Functions"; null for one that is too long ago. */
const STATUS = statement<{ status: 'in progress' | 'committed' | 'aborted' | null }>(
  'db.outcome',
  'SELECT pg_xact_status($1::text::xid8) AS status',
)

const MIN_PAUSE_MS = 20
const MAX_PAUSE_MS = 1_000

/**
 * Whether a transaction whose COMMIT was not answered has been committed. Asks until the database knows, through an
 * outage too; false as well when `deadlineMs` are over, or `signal` aborts, before that.
 */
export async function wasCommitted(sql: Sql, xid: string, deadlineMs: number, signal: AbortSignal): Promise<boolean> {
  const until = performance.now() + deadlineMs
  for (let pauseMs = MIN_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS)) {
    try {
      const status = (await sql.first(STATUS, [xid]))?.status
      if (status !== 'in progress') return status === 'committed'
    } catch (error) {
      // Another server has taken its place, which does not know the transaction.
      if (!isUnavailable(error)) return false
    }
    if (performance.now() + pauseMs > until || signal.aborted) return false
    await delay(pauseMs, undefined, { signal }).catch(() => undefined)
  }
}
