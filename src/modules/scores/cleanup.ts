import { statement } from '../../db/sql.ts'
import type { JobContext } from '../periodic-jobs.ts'

/** Rows of each kind in one run. The next run goes on. */
export const MAX_ROWS = 20_000

/** The day or week was over a day ago, so that no score comes any more. Its entries are not counted from now on. */
const CLOSE = statement(
  'scores.close',
  `UPDATE leaderboards SET closed = true
   WHERE period <> 'all' AND NOT closed
     AND starts_on + CASE period WHEN 'day' THEN 2 ELSE 8 END <= (now() AT TIME ZONE 'UTC')::date`,
)
const DELETE_ENTRIES = statement(
  'scores.deleteEntries',
  `DELETE FROM leaderboard_entries WHERE (user_id, player_key, leaderboard_id) IN (
     SELECT user_id, player_key, leaderboard_id FROM leaderboard_entries
     WHERE leaderboard_id IN (SELECT id FROM leaderboards WHERE closed) LIMIT ${MAX_ROWS})`,
)
const DELETE_COUNTS = statement(
  'scores.deleteCounts',
  `DELETE FROM leaderboard_counts WHERE (leaderboard_id, level, node, slot) IN (
     SELECT leaderboard_id, level, node, slot FROM leaderboard_counts
     WHERE leaderboard_id IN (SELECT id FROM leaderboards WHERE closed) LIMIT ${MAX_ROWS})`,
)
const DELETE_CLOSED = statement(
  'scores.deleteClosed',
  `DELETE FROM leaderboards AS board WHERE closed
     AND NOT EXISTS (SELECT FROM leaderboard_entries WHERE leaderboard_id = board.id)
     AND NOT EXISTS (SELECT FROM leaderboard_counts WHERE leaderboard_id = board.id)`,
)

/** Deletes the leaderboards of days and weeks that are over, piece by piece. */
export async function deletePast({ sql }: JobContext): Promise<void> {
  await sql.rows(CLOSE)
  await sql.rows(DELETE_ENTRIES)
  await sql.rows(DELETE_COUNTS)
  await sql.rows(DELETE_CLOSED)
}

/**
 * Counts of ranges in which no score is left. The rows are locked before they are added up, and only these rows are deleted:
 * a slot that comes meanwhile stays, so the sums stay exact.
 */
const DELETE_EMPTY = statement(
  'scores.deleteEmptyCounts',
  `WITH empty AS (
     SELECT leaderboard_id, level, node FROM leaderboard_counts
     GROUP BY leaderboard_id, level, node HAVING sum(entries) = 0 LIMIT ${MAX_ROWS}),
   locked AS (
     SELECT counted.* FROM leaderboard_counts AS counted JOIN empty USING (leaderboard_id, level, node)
     ORDER BY leaderboard_id, level, node, slot FOR UPDATE OF counted),
   still_empty AS (
     SELECT leaderboard_id, level, node FROM locked GROUP BY leaderboard_id, level, node HAVING sum(entries) = 0)
   DELETE FROM leaderboard_counts USING still_empty JOIN locked USING (leaderboard_id, level, node)
   WHERE leaderboard_counts.leaderboard_id = locked.leaderboard_id AND leaderboard_counts.level = locked.level
     AND leaderboard_counts.node = locked.node AND leaderboard_counts.slot = locked.slot`,
)
/** Modes whose players are all gone. A row that a score is just being entered under is locked, and left alone. */
const LOCK_UNUSED = statement<{ id: number }>(
  'scores.lockUnusedModes',
  `SELECT id FROM leaderboards AS board WHERE period = 'all' AND created_at < now() - interval '1 day'
     AND NOT EXISTS (SELECT FROM leaderboard_entries WHERE leaderboard_id = board.id) FOR UPDATE SKIP LOCKED`,
)
/** Looks again, now that no score can come in between. */
const DELETE_UNUSED = statement(
  'scores.deleteUnusedModes',
  `DELETE FROM leaderboards AS board WHERE id = ANY($1)
     AND NOT EXISTS (SELECT FROM leaderboard_entries WHERE leaderboard_id = board.id)`,
)

/** Deletes counts of zero, and game modes without a player. */
export async function deleteUnused({ sql }: JobContext): Promise<void> {
  await sql.rows(DELETE_EMPTY)
  const unused = await sql.rows(LOCK_UNUSED)
  if (unused.length > 0) await sql.rows(DELETE_UNUSED, [unused.map(({ id }) => id)])
}
