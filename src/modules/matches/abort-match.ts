import { type Sql, statement } from '../../db/sql.ts'
import type { MatchId } from '../wire.ts'
import { type MatchRow, matchRow } from './match-row.ts'

/** Values: match, reason. */
const ABORT = statement<{ row: MatchRow }>(
  'matches.abortOne',
  `UPDATE matches SET status = 'aborted', end_reason = $2, finished_at = now(), version = version + 1, updated_at = now()
   WHERE id = $1 AND status IN ('waiting', 'live') RETURNING ${matchRow('matches')} AS row`,
)

/**
 * Ends a waiting or live match without a result, whoever runs it: the node that does follows the row. Null when there is no
 * such match.
 */
export async function abortMatch(sql: Sql, matchId: MatchId, endReason: string): Promise<MatchRow | null> {
  return (await sql.first(ABORT, [matchId, endReason]))?.row ?? null
}
