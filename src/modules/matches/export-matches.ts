import { type Sql, statement } from '../../db/sql.ts'
import { ratingsOf } from './ratings/ratings.ts'

/** What others read in place of the name of a player who has removed the account. */
const DELETED_PLAYER = 'Deleted player'

/** The newest matches are exported, so that an answer has a bound. */
const MAX_EXPORTED = 10_000

const FORGET_NAME = statement(
  'matches.forgetName',
  `UPDATE seats SET display_name = '${DELETED_PLAYER}' WHERE user_id = $1`,
)

const EXPORT = statement<{ matches: unknown }>(
  'matches.export',
  `SELECT coalesce(json_agg(json_build_object(
     'id', id, 'game', game, 'mode', mode, 'status', status, 'visibility', visibility, 'options', options, 'seat', seat,
     'displayName', display_name, 'score', score, 'winnerSeat', winner_seat, 'createdAt', created_at,
     'startedAt', started_at, 'finishedAt', finished_at, 'endReason', end_reason) ORDER BY created_at), '[]') AS matches
   FROM (
     SELECT matches.*, seat, display_name, score FROM seats JOIN matches ON matches.id = seats.match_id
     WHERE seats.user_id = $1 ORDER BY matches.created_at DESC LIMIT ${MAX_EXPORTED}) AS own`,
)

/** Takes the name out of the seats of a user who is about to be deleted. */
export async function forgetName(sql: Sql, userId: string): Promise<void> {
  await sql.rows(FORGET_NAME, [userId])
}

/** The matches in which the user has or had a seat, the oldest first, and the ratings. */
export async function exportMatches(sql: Sql, userId: string) {
  const [found, ratings] = await Promise.all([sql.first(EXPORT, [userId]), ratingsOf(sql, userId)])
  return { matches: found?.matches ?? [], ratings }
}
