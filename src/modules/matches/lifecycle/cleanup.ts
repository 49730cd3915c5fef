import { type Sql, statement } from '../../../db/sql.ts'
import { PROBABLY_DEAD_MS } from '../../../engine/index.ts'
import type { Platform } from '../../platform.ts'
import { inIdempotentTransaction } from '../../scope.ts'
import type { MatchFeed } from '../match-feed.ts'
import type { EndReason } from '../types.ts'
import { announceEnded } from './owned-matches.ts'

/** The most matches that one statement changes. */
const BATCH = 200

/** How matches that nobody will play on are found and aborted. Both statements take the values of the condition first. */
function abandoned(name: string, endReason: EndReason, values: number, condition: string) {
  return {
    endReason,
    find: statement<{ id: string }>(
      `matches.find${name}`,
      `SELECT id FROM matches WHERE ${condition} ORDER BY id LIMIT ${BATCH}`,
    ),
    /** Skips matches that another transaction is changing. Values: those of the condition, matches, reason. */
    abort: statement<{ id: string }>(
      `matches.abort${name}`,
      `UPDATE matches SET status = 'aborted', end_reason = $${values + 2}, finished_at = now(), version = version + 1,
         updated_at = now()
       WHERE id IN (
         SELECT id FROM matches WHERE id = ANY($${values + 1}) AND ${condition} ORDER BY id FOR UPDATE SKIP LOCKED)
       RETURNING id`,
    ),
  }
}

/** Live matches of nodes that are gone. */
export const ORPHANED = abandoned(
  'Orphaned',
  'node-lost',
  0,
  `status = 'live' AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.id = matches.node_id)`,
)

/** A tournament gives its players a time of its own, and ends its matches itself. */
const IS_OF_NO_TOURNAMENT = `NOT EXISTS (
  SELECT FROM tournaments WHERE origin = 'tournament:' || tournaments.id AND tournaments.status IN ('running', 'cancelled'))`

/** Matches that nobody joined. Values: after how long, seconds. */
export const UNJOINED = abandoned(
  'Unjoined',
  'nobody-came',
  1,
  `status = 'waiting' AND starts_at IS NULL AND created_at < now() - make_interval(secs => $1)
   AND ${IS_OF_NO_TOURNAMENT}`,
)

/** Waiting matches whose players are all gone. Values: after how long without any change, seconds. */
export const EMPTY = abandoned(
  'Empty',
  'nobody-came',
  1,
  `status = 'waiting' AND updated_at < now() - make_interval(secs => $1)
   AND NOT EXISTS (SELECT 1 FROM seats WHERE match_id = matches.id AND connected AND user_id IS NOT NULL)
   AND ${IS_OF_NO_TOURNAMENT}`,
)

/** Matches of the queue to which a player did not come in time, or from which one has gone again. */
export const NOT_COME = abandoned(
  'NotCome',
  'nobody-came',
  0,
  `status = 'waiting' AND origin = 'queue' AND starts_at IS NULL AND (
     updated_at < now() - interval '10 seconds' OR created_at < now() - interval '60 seconds'
     OR (SELECT count(*) FROM seats WHERE match_id = matches.id) < cardinality(reserved))`,
)

/** Aborts all matches that nobody will play on. */
export async function abortAbandoned(
  platform: Platform,
  feed: MatchFeed,
  { find, abort, endReason }: ReturnType<typeof abandoned>,
  values: readonly unknown[] = [],
): Promise<void> {
  for (;;) {
    const ids = (await platform.database.sql.rows(find, values)).map(({ id }) => id)
    if (ids.length === 0) return
    const aborted = await inIdempotentTransaction(platform, async (scope) => {
      const rows = await scope.sql.rows(abort, [...values, ids, endReason])
      await announceEnded(feed, scope, ids, rows)
      return rows.length
    })
    // Other nodes are aborting the rest.
    if (aborted === 0) return
  }
}

/**
 * Matches that should have begun two seconds ago, with all players connected: its node is gone. A time that is further ahead
 * than any countdown is over too: the clock of the database was set back. Values: length of a countdown, seconds.
 */
export const OVERDUE = statement<{ id: string; startsAt: Date }>(
  'matches.overdue',
  `SELECT id, starts_at AS "startsAt" FROM matches
   WHERE status = 'waiting' AND starts_at NOT BETWEEN now() - interval '2 seconds' AND now() + make_interval(secs => $1::float8 + 5)
   AND NOT EXISTS (
     SELECT 1 FROM seats WHERE match_id = matches.id AND user_id IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM presence JOIN nodes ON nodes.id = presence.node_id
       WHERE presence.user_id = seats.user_id AND nodes.heartbeat_at >= now() - interval '${PROBABLY_DEAD_MS} milliseconds'))
   ORDER BY id LIMIT ${BATCH}`,
)

const DELETE_ABORTED = statement(
  'matches.deleteAborted',
  `DELETE FROM matches WHERE id IN (
     SELECT id FROM matches WHERE status = 'aborted' AND finished_at < now() - interval '1 day'
     ORDER BY finished_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`,
)

/** Values: days. */
const DELETE_REPLAYS = statement(
  'matches.deleteReplays',
  `UPDATE matches SET inputs = NULL, final_state = NULL WHERE id IN (
     SELECT id FROM matches WHERE inputs IS NOT NULL AND finished_at < now() - make_interval(days => $1)
     ORDER BY finished_at LIMIT ${BATCH} FOR NO KEY UPDATE SKIP LOCKED)`,
)

/** Deletes aborted matches after a day, and replays after `replayDays`: a bounded number, and the next run goes on. */
export async function deleteOld(sql: Sql, replayDays: number): Promise<void> {
  await Promise.all([sql.rows(DELETE_ABORTED), sql.rows(DELETE_REPLAYS, [replayDays])])
}
