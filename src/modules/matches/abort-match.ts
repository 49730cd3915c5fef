import { type Sql, statement } from '../../db/sql.ts'
import type { MatchId } from '../wire.ts'
import { type MatchRow, matchRow } from './match-row.ts'
import type { EndReason } from './types.ts'

/** Values: match, reason. */
const abort = (name: string, condition: string) =>
  statement<{ row: MatchRow }>(
    name,
    `UPDATE matches SET status = 'aborted', end_reason = $2, finished_at = now(), version = version + 1, updated_at = now()
     WHERE id = $1 AND ${condition} RETURNING ${matchRow('matches')} AS row`,
  )

const ABORTABLE = {
  open: abort('matches.abortOne', `status IN ('waiting', 'live')`),
  /** It waits for a player: no countdown runs. One that should have ended long ago is begun by another node. */
  unbegun: abort('matches.abortUnbegun', `status = 'waiting' AND starts_at IS NULL`),
}

/**
 * Ends a waiting or live match without a result, whoever runs it: the node that does follows the row. `unbegun`: only one that
 * waits for a player. Null when there is no such match.
 */
export async function abortMatch(
  sql: Sql,
  matchId: MatchId,
  endReason: EndReason,
  which: keyof typeof ABORTABLE = 'open',
): Promise<MatchRow | null> {
  return (await sql.first(ABORTABLE[which], [matchId, endReason]))?.row ?? null
}
