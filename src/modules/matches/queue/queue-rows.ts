import { msOf, type Sql, statement } from '../../../db/sql.ts'
import type { MatchId } from '../../wire.ts'
import { hasRoom, withUserLocked } from '../match-writes.ts'
import { UNRATED } from '../ratings/glicko2.ts'
import type { QueueState } from '../types.ts'
import type { Waiting } from './find-groups.ts'

// A row of `queue_entries` changes under its own lock. Several rows are locked in the order of their users.

/** Somebody whose page is gone for so long leaves the queue. Loading a page again takes less. */
const GONE_AFTER = `interval '10 seconds'`
/** Somebody who has just asked counts as connected: the row in `presence` may still be being written. */
const FRESH = `interval '2 seconds'`
/** How often a waiting player is told how many wait. */
const REFRESH_EVERY = `interval '5 seconds'`
/** The most players of one game whom one run looks at, the longest waiting first, and whom it tells how many wait. */
const BATCH = 2_000

const CHANGED = 'seq = queue_entries.seq + 1, changed_at = now()'

/** False when another node has the lock. It is released at the end of the transaction. */
const LOCK = statement<{ isLocked: boolean }>(
  'queue.lock',
  `SELECT pg_try_advisory_xact_lock(hashtextextended('matches.queue', 0)) AS "isLocked"`,
)

/**
 * Somebody who waits for this game already, or whose match is not over, stays as they are. Values: user, game, matches that the
 * user may have.
 */
const ENQUEUE = statement<{ hasRoom: boolean }>(
  'queue.enqueue',
  `WITH asked AS (SELECT ${hasRoom('$1', '$3')} AS has_room),
   entered AS (
     INSERT INTO queue_entries (user_id, game, status, rating, since, enqueued_at, seq, changed_at)
     SELECT $1, $2, 'waiting', coalesce((SELECT rating FROM ratings WHERE user_id = $1 AND game = $2), ${UNRATED.rating}),
       now(), now(), 1, now()
     FROM asked WHERE has_room
     ON CONFLICT (user_id) DO UPDATE SET game = excluded.game, status = 'waiting', rating = excluded.rating, since = now(),
       enqueued_at = now(), away_since = NULL, match_id = NULL, ${CHANGED}
     WHERE NOT (queue_entries.status = 'waiting' AND queue_entries.game = excluded.game)
       AND NOT (queue_entries.status = 'matched' AND EXISTS (
         SELECT FROM matches WHERE matches.id = queue_entries.match_id AND matches.status IN ('waiting', 'live'))))
   SELECT has_room AS "hasRoom" FROM asked`,
)

const DEQUEUE = statement<{ userId: string }>(
  'queue.dequeue',
  `UPDATE queue_entries SET status = 'idle', ${CHANGED} WHERE user_id = ANY($1) AND status = 'waiting'
   RETURNING user_id AS "userId"`,
)

export interface QueueRow extends Pick<QueueState, 'status' | 'game' | 'since' | 'matchId'> {
  readonly userId: string
  readonly seq: number
}

/** Values: users. */
const READ = statement<QueueRow>(
  'queue.read',
  `SELECT wanted.user_id AS "userId", coalesce(seq, 0)::int8 AS seq, coalesce(status, 'idle') AS status,
     CASE WHEN status <> 'idle' THEN game END AS game,
     CASE WHEN status = 'waiting' THEN ${msOf('since')} END AS since,
     CASE WHEN status = 'matched' THEN match_id END AS "matchId"
   FROM unnest($1::text[]) AS wanted (user_id) LEFT JOIN queue_entries ON queue_entries.user_id = wanted.user_id`,
)

/** How many wait for each game, and how long the last 20 of an hour have waited. Values: games. */
const QUEUES = statement<QueueState['queues'][number]>(
  'queue.queues',
  `SELECT wanted.game,
     (SELECT count(*) FROM queue_entries WHERE status = 'waiting' AND game = wanted.game)::int AS waiting,
     (SELECT avg(waited_ms) FROM (SELECT waited_ms FROM queue_entries
       WHERE game = wanted.game AND matched_at > now() - interval '1 hour' ORDER BY matched_at DESC LIMIT 20) AS last
     )::int AS "estimatedWaitMs"
   FROM unnest($1::text[]) AS wanted (game)`,
)

/** Players who can be matched now, the longest waiting first. Values: games. */
const WAITING = statement<Waiting & { game: string }>(
  'queue.waiting',
  `SELECT user_id AS "userId", wanted.game, rating, (extract(epoch FROM now() - since) * 1000)::float8 AS "waitedMs"
   FROM unnest($1::text[]) AS wanted (game), LATERAL (
     SELECT * FROM queue_entries
     WHERE status = 'waiting' AND queue_entries.game = wanted.game AND away_since IS NULL AND (
       enqueued_at > now() - ${FRESH} OR EXISTS (SELECT FROM presence WHERE presence.user_id = queue_entries.user_id))
     ORDER BY since, user_id LIMIT ${BATCH}) AS entry
   ORDER BY since, user_id`,
)

/** Locks the entries of players who still wait and may have one more match. Values: users, matches that a user may have. */
const CONFIRM = statement<{ userId: string; game: string }>(
  'queue.confirm',
  `SELECT user_id AS "userId", game FROM queue_entries
   WHERE user_id = ANY($1) AND status = 'waiting' AND ${hasRoom('queue_entries.user_id', '$2')}
   ORDER BY user_id FOR UPDATE`,
)

/** Values: one entry a player: users, matches. */
const MATCHED = statement<{ waitedMs: number }>(
  'queue.matched',
  `UPDATE queue_entries SET status = 'matched', match_id = found.match_id, matched_at = now(),
     waited_ms = greatest(0, extract(epoch FROM now() - since) * 1000)::int, ${CHANGED}
   FROM unnest($1::text[], $2::text[]) AS found (user_id, match_id) WHERE queue_entries.user_id = found.user_id
   RETURNING waited_ms AS "waitedMs"`,
)

/** The match is over. Players with a way back wait again, since when they waited before. Values: match, those players. */
const MATCH_OVER = statement<{ userId: string }>(
  'queue.matchOver',
  `UPDATE queue_entries SET status = CASE WHEN user_id = ANY($2) THEN 'waiting'::"QueueStatus" ELSE 'idle' END,
     match_id = NULL, away_since = NULL, ${CHANGED}
   WHERE match_id = $1 AND status = 'matched' RETURNING user_id AS "userId"`,
)

/** Notes who of those that wait has lost the last socket, or has one again. */
const NOTE_AWAY = statement(
  'queue.noteAway',
  `UPDATE queue_entries SET away_since = CASE WHEN away_since IS NULL THEN now() END
   WHERE status = 'waiting' AND enqueued_at <= now() - ${FRESH}
     AND (away_since IS NULL) <> EXISTS (SELECT FROM presence WHERE presence.user_id = queue_entries.user_id)`,
)

const DROP_GONE = statement<{ userId: string }>(
  'queue.dropGone',
  `UPDATE queue_entries SET status = 'idle', ${CHANGED} WHERE status = 'waiting' AND away_since < now() - ${GONE_AFTER}
   RETURNING user_id AS "userId"`,
)

const REFRESH = statement<{ userId: string }>(
  'queue.refresh',
  `UPDATE queue_entries SET ${CHANGED} WHERE user_id IN (
     SELECT user_id FROM queue_entries WHERE status = 'waiting' AND changed_at < now() - ${REFRESH_EVERY} LIMIT ${BATCH})
   RETURNING user_id AS "userId"`,
)

/** The queue as rows: one for each user who has ever asked for a ranked match. */
export const queueRows = {
  lock: async (sql: Sql) => (await sql.first(LOCK))?.isLocked ?? false,
  /** False when the user has too many matches. @throws RpcError UNAUTHENTICATED for a user who is banned or gone */
  async enqueue(sql: Sql, userId: string, game: string, maxActive: number): Promise<boolean> {
    const asked = await withUserLocked(sql, userId, () => sql.first(ENQUEUE, [userId, game, maxActive]))
    return asked?.hasRoom ?? false
  },
  dequeue: (sql: Sql, userIds: readonly string[]) => usersOf(sql.rows(DEQUEUE, [userIds])),
  read: (sql: Sql, userIds: readonly string[]) => sql.rows(READ, [userIds]),
  queues: (sql: Sql, games: readonly string[]) => sql.rows(QUEUES, [games]),
  waiting: (sql: Sql, games: readonly string[]) => sql.rows(WAITING, [games]),
  /** The game for which each of these users still waits. */
  async confirm(sql: Sql, userIds: readonly string[], maxActive: number): Promise<Map<string, string>> {
    const rows = await sql.rows(CONFIRM, [userIds, maxActive])
    return new Map(rows.map(({ userId, game }) => [userId, game]))
  },
  /** Answers how long each has waited, ms. */
  async matched(sql: Sql, found: readonly { userId: string; matchId: MatchId }[]): Promise<number[]> {
    const values = [found.map(({ userId }) => userId), found.map(({ matchId }) => matchId)]
    return (await sql.rows(MATCHED, values)).map(({ waitedMs }) => waitedMs)
  },
  matchOver: (sql: Sql, matchId: MatchId, back: readonly string[]) => usersOf(sql.rows(MATCH_OVER, [matchId, back])),
  /** Drops those who are gone. Answers with them, and with those who have not been told anything for a while. */
  async tidy(sql: Sql): Promise<string[]> {
    const [, gone, waiting] = await Promise.all([
      sql.rows(NOTE_AWAY),
      usersOf(sql.rows(DROP_GONE)),
      usersOf(sql.rows(REFRESH)),
    ])
    return [...gone, ...waiting]
  },
}

async function usersOf(rows: Promise<{ userId: string }[]>): Promise<string[]> {
  return (await rows).map(({ userId }) => userId)
}
