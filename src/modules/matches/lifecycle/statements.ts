import { type Statement, statement } from '../../../db/sql.ts'

// What the life of a match writes. Each statement that writes for a match that a process runs names that process and the
// fence with which it took the match: `node_id` and `fence`. So nothing is written by one that others took for dead.

/** How many matches one statement changes at most. */
export const BATCH = 200
/** A countdown that ended this long ago and started nothing: the process that watched it is gone. */
const LATE = `interval '2 seconds'`
/** A process that was heard of within this time is there. Beats come every second. */
const FRESH = `interval '3 seconds'`
/** A match that is live for so long, and whose owner does not run it, was taken without the owner hearing of it. */
const SETTLED = `interval '5 seconds'`

/**
 * Takes a match whose countdown is over, unless others take the process for dead. Values: match, node, now, version of the game's rules or null for a game that
 * is not known.
 */
export const TAKE = statement<{ id: string }>(
  'matches.take',
  `UPDATE matches SET status = 'live', node_id = $2, fence = fence + 1, started_at = $3,
     rules_version = coalesce($4, rules_version), version = version + 1, start_version = version + 1,
     updated_at = now()
   WHERE id = $1 AND status = 'waiting' AND starts_at <= $3 AND EXISTS (SELECT FROM nodes WHERE nodes.id = $2)
   RETURNING id`,
)

/**
 * Stores a result, also of a match that others have given up meanwhile because its process was gone: nobody else has
 * run it since, as the fence says. Values: match, node, fence, winner, scores, reason, finished at, ticks, final state,
 * inputs.
 */
export const FINISH = statement<{ id: string }>(
  'matches.finish',
  `WITH ended AS (
     UPDATE matches SET status = 'finished', winner_seat = $4, end_reason = $6, finished_at = $7, ticks = $8,
       final_state = $9, inputs = $10, version = version + 1, updated_at = now()
     WHERE id = $1 AND node_id = $2 AND fence = $3
       AND (status = 'live' OR (status = 'aborted' AND end_reason = 'node-lost'))
     RETURNING id),
   scored AS (
     UPDATE seats SET score = scores.score
     FROM ended, unnest($5::int[]) WITH ORDINALITY AS scores (score, place)
     WHERE seats.match_id = ended.id AND seats.seat = scores.place - 1)
   SELECT id FROM ended`,
)

/** Ends live matches of one process without a result. Values: node, matches, fences, reason. */
export const ABORT_OWN = statement<{ id: string }>(
  'matches.abortOwn',
  `UPDATE matches SET status = 'aborted', end_reason = $4, finished_at = now(), version = version + 1,
     updated_at = now()
   FROM unnest($2::text[], $3::int[]) AS own (id, fence)
   WHERE matches.id = own.id AND matches.fence = own.fence AND node_id = $1 AND status = 'live'
   RETURNING matches.id`,
)

/**
 * Writes scores of live matches, and counts each match's version up once. One that something else changes at this moment
 * is left out. Values: node; then one entry a seat: matches, fences, seats, scores.
 */
export const SCORE = statement<{ id: string; version: number }>(
  'matches.score',
  `WITH offered AS (
     SELECT * FROM unnest($2::text[], $3::int[], $4::int[], $5::int[]) AS offered (match_id, fence, seat, score)),
   own AS (
     SELECT id FROM matches
     WHERE node_id = $1 AND status = 'live' AND (id, fence) IN (SELECT match_id, fence FROM offered)
     ORDER BY id FOR NO KEY UPDATE SKIP LOCKED),
   scored AS (
     UPDATE seats SET score = offered.score FROM own, offered
     WHERE offered.match_id = own.id AND seats.match_id = own.id AND seats.seat = offered.seat
       AND seats.score <> offered.score)
   UPDATE matches SET version = version + 1, updated_at = now() FROM own WHERE matches.id = own.id
   RETURNING matches.id, version`,
)

/** Matches that nobody will play on, and the end of them. Both statements take the same values after their first. */
export interface Abandonment {
  readonly endReason: string
  /** Values: those of the condition. */
  readonly find: Statement<{ id: string }>
  /** But for those that something changes at this moment. Values: those of the condition, then matches, then reason. */
  readonly abort: Statement<{ id: string }>
}

function abandonment(name: string, endReason: string, values: number, condition: string): Abandonment {
  return {
    endReason,
    find: statement(`matches.find${name}`, `SELECT id FROM matches WHERE ${condition} ORDER BY id LIMIT ${BATCH}`),
    abort: statement(
      `matches.abort${name}`,
      `UPDATE matches SET status = 'aborted', end_reason = $${values + 2}, finished_at = now(), version = version + 1,
         updated_at = now()
       WHERE id IN (
         SELECT id FROM matches WHERE id = ANY($${values + 1}) AND ${condition} ORDER BY id FOR UPDATE SKIP LOCKED)
       RETURNING id`,
    ),
  }
}

/** Live matches of processes that are gone. */
export const ORPHANED = abandonment(
  'Orphaned',
  'node-lost',
  0,
  `status = 'live' AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.id = matches.node_id)`,
)

/** Matches that nobody joined. Values: after how long, seconds. */
export const UNJOINED = abandonment(
  'Unjoined',
  'nobody-came',
  1,
  `status = 'waiting' AND starts_at IS NULL AND created_at < now() - make_interval(secs => $1)`,
)

/** Matches whose players are all gone before it began. Values: after how long without any change, seconds. */
export const EMPTY = abandonment(
  'Empty',
  'nobody-came',
  1,
  `status = 'waiting' AND updated_at < now() - make_interval(secs => $1)
   AND NOT EXISTS (SELECT 1 FROM seats WHERE match_id = matches.id AND connected AND user_id IS NOT NULL)`,
)

/** Deletes some of the matches that were aborted a day ago or earlier. */
export const DELETE_ABORTED = statement<{ id: string }>(
  'matches.deleteAborted',
  `DELETE FROM matches WHERE id IN (
     SELECT id FROM matches WHERE status = 'aborted' AND finished_at < now() - interval '1 day'
     ORDER BY finished_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
   RETURNING id`,
)

/** Deletes what it takes to play some of the matches again that ended so many days ago or earlier. Values: days. */
export const DELETE_REPLAYS = statement<{ id: string }>(
  'matches.deleteReplays',
  `UPDATE matches SET inputs = NULL, final_state = NULL WHERE id IN (
     SELECT id FROM matches WHERE inputs IS NOT NULL AND finished_at < now() - make_interval(days => $1)
     ORDER BY finished_at LIMIT ${BATCH} FOR NO KEY UPDATE SKIP LOCKED)
   RETURNING id`,
)

/** Matches that should have begun, but did not, while all of their players are there. */
export const OVERDUE = statement<{ id: string; game: string }>(
  'matches.overdue',
  `SELECT id, game FROM matches
   WHERE status = 'waiting' AND starts_at < now() - ${LATE} AND NOT EXISTS (
     SELECT 1 FROM seats WHERE match_id = matches.id AND user_id IS NOT NULL AND NOT EXISTS (
       SELECT 1 FROM presence JOIN nodes ON nodes.id = presence.node_id
       WHERE presence.user_id = seats.user_id AND nodes.heartbeat_at >= now() - ${FRESH}))
   ORDER BY id LIMIT ${BATCH}`,
)

/**
 * How what a process runs differs from what is stored, of the matches whose ids are above one and up to another, in the
 * order of bytes; null for no bound. Values: node; what it runs between the bounds: matches, fences, versions; the
 * bounds. `gone`: it no longer runs this match. `changed`: it has not heard of the newest version, or a player has left.
 * `unheld`: it does not run what it should.
 */
export const COMPARE = statement<{ id: string; state: 'gone' | 'changed' | 'unheld' }>(
  'matches.compare',
  `SELECT held.id,
     CASE WHEN status = 'live' AND node_id = $1 AND matches.fence = held.fence THEN 'changed' ELSE 'gone' END AS state
   FROM unnest($2::text[], $3::int[], $4::int[]) AS held (id, fence, version)
   LEFT JOIN matches ON matches.id = held.id
   WHERE (status = 'live' AND node_id = $1 AND matches.fence = held.fence AND matches.version = held.version
     AND NOT EXISTS (SELECT 1 FROM seats WHERE match_id = held.id AND left_at IS NOT NULL)) IS NOT TRUE
   UNION ALL (
     SELECT id, 'unheld' FROM matches
     WHERE node_id = $1 AND status = 'live' AND started_at < now() - ${SETTLED}
       AND ($5::text IS NULL OR id COLLATE "C" > $5) AND ($6::text IS NULL OR id COLLATE "C" <= $6)
       AND NOT EXISTS (SELECT 1 FROM unnest($2::text[]) AS held (id) WHERE held.id = matches.id)
     LIMIT ${BATCH})`,
)

/** Locks the matches that are not over in which any of the users has a seat. Values: users. */
export const LOCK_OPEN_OF = statement<{ id: string }>(
  'presence.lockMatches',
  `SELECT id FROM matches
   WHERE status IN ('waiting', 'live') AND id IN (SELECT match_id FROM seats WHERE user_id = ANY($1))
   ORDER BY id FOR NO KEY UPDATE`,
)

/** Users who have a socket to a process now, of those asked about. Values: node, users. */
export const ARRIVE = statement(
  'presence.arrive',
  `INSERT INTO presence (user_id, node_id) SELECT id, $1 FROM users WHERE id = ANY($2) ORDER BY id
   ON CONFLICT DO NOTHING`,
)

/** Users who have no socket to a process any more. Values: node, users. */
export const DEPART = statement('presence.depart', 'DELETE FROM presence WHERE node_id = $1 AND user_id = ANY($2)')

/** No user has a socket to the process any more. Values: node. */
export const DEPART_ALL = statement('presence.departAll', 'DELETE FROM presence WHERE node_id = $1')

/**
 * Brings seats in line with who is connected, whichever process to. Answers with the matches of the seats that changed.
 * Values: matches, which are locked.
 */
export const CONNECT_SEATS = statement<{ id: string }>(
  'presence.connectSeats',
  `WITH changed AS (
     UPDATE seats SET connected = NOT connected
     WHERE match_id = ANY($1) AND user_id IS NOT NULL
       AND connected <> EXISTS (SELECT 1 FROM presence WHERE presence.user_id = seats.user_id)
     RETURNING match_id)
   SELECT DISTINCT match_id AS id FROM changed ORDER BY id`,
)

/** Users with seats, in matches that are not over, that are not in line with who is connected. */
export const OUTDATED_USERS = statement<{ userId: string }>(
  'presence.outdatedUsers',
  `SELECT DISTINCT seats.user_id AS "userId" FROM seats JOIN matches ON matches.id = seats.match_id
   WHERE matches.status IN ('waiting', 'live') AND seats.user_id IS NOT NULL
     AND seats.connected <> EXISTS (SELECT 1 FROM presence WHERE presence.user_id = seats.user_id)
   LIMIT ${BATCH}`,
)
