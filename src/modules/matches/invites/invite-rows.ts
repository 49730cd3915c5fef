import { randomUUID } from 'node:crypto'
import { msOf, type Sql, statement } from '../../../db/sql.ts'
import type { MatchId } from '../../wire.ts'
import type { Invite, InviteReason, MatchStatus } from '../types.ts'

/** Whom to ask to come to which match. */
export interface Ask {
  readonly matchId: string
  readonly userId: string
  /** The player who asks; null for the server. */
  readonly from: string | null
  readonly reason: InviteReason
  readonly expiresAt: Date
}

/** The open invites of a user, and the `seq` of their newest change. */
export interface InviteState {
  readonly userId: string
  readonly seq: number
  readonly invites: Invite[]
}

/** The most invites that a stream shows. */
const MAX_SHOWN = 50

/** For how long a player whose invite was declined cannot invite the same user. */
const DECLINED_FOR = `interval '5 minutes'`

const IS_OPEN = `declined_at IS NULL AND expires_at > now()`

/** Asking again renews an invite, a declined one too. Values: one entry an invite: ids, matches, users, from, reasons, expiry. */
const ASK = statement(
  'invites.ask',
  `WITH asked AS (
     INSERT INTO match_invites (id, match_id, user_id, from_id, reason, expires_at)
     SELECT id, match_id, user_id, from_id, reason::"InviteReason", expires_at
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])
       AS asked (id, match_id, user_id, from_id, reason, expires_at)
     ON CONFLICT (match_id, user_id) DO UPDATE SET from_id = excluded.from_id, reason = excluded.reason,
       expires_at = excluded.expires_at, declined_at = NULL)
   UPDATE matches SET has_invites = true WHERE id = ANY($2) AND NOT has_invites`,
)

/** Values: users. The rows are locked until the end of the transaction, so that changes of one user follow one another. */
const COUNT = statement(
  'invites.count',
  `INSERT INTO invite_feeds (user_id, seq) SELECT DISTINCT user_id, 1 FROM unnest($1::text[]) AS user_id ORDER BY user_id
   ON CONFLICT (user_id) DO UPDATE SET seq = invite_feeds.seq + 1`,
)

/** Values: users. */
const READ = statement<InviteState>(
  'invites.read',
  `SELECT wanted.user_id AS "userId", coalesce(feed.seq, 0)::int8 AS seq, coalesce((
     SELECT json_agg(json_build_object('id', open.id, 'matchId', matches.id, 'game', game, 'mode', mode, 'reason', reason,
       'from', CASE WHEN sender.id IS NOT NULL THEN json_build_object('userId', sender.id, 'username', sender.username,
         'displayName', sender.display_name) END,
       'createdAt', ${msOf('open.created_at')},
       'expiresAt', ${msOf('open.expires_at')}) ORDER BY open.created_at DESC, open.id)
     FROM (SELECT * FROM match_invites WHERE user_id = wanted.user_id AND ${IS_OPEN}
       ORDER BY created_at DESC LIMIT ${MAX_SHOWN}) AS open
     JOIN matches ON matches.id = open.match_id AND matches.status = 'waiting'
     LEFT JOIN users AS sender ON sender.id = open.from_id), '[]') AS invites
   FROM unnest($1::text[]) AS wanted (user_id) LEFT JOIN invite_feeds AS feed ON feed.user_id = wanted.user_id`,
)

/** What decides whether a user may be invited. */
export interface Invitable {
  readonly status: MatchStatus
  /** The user who asks has a seat. */
  readonly isPlayer: boolean
  /** Null when there is no such user. */
  readonly userId: string | null
  readonly isSeated: boolean
  /** No seat is free for this user. */
  readonly isFull: boolean
  /** An invite to this match, or a recent one by the user who asks. */
  readonly hasDeclined: boolean
  /** How many open invites by players the user has, without those to this match. */
  readonly open: number
  /** How many of them are by the user who asks. */
  readonly openBySender: number
}

/** Invites of one user follow one another until the end of the transaction, so that their bounds hold. Values: username. */
const LOCK = statement('invites.lock', `SELECT pg_advisory_xact_lock(hashtextextended('matches.invite:' || $1, 0))`)

/** Values: match, user who asks, username, seats of each game. */
const INVITABLE = statement<Invitable>(
  'invites.invitable',
  `SELECT status, invited.id AS "userId",
     EXISTS (SELECT FROM seats WHERE match_id = matches.id AND user_id = $2) AS "isPlayer",
     EXISTS (SELECT FROM seats WHERE match_id = matches.id AND user_id = invited.id) AS "isSeated",
     NOT EXISTS (
       SELECT FROM generate_series(0, coalesce(($4::jsonb ->> game)::int, 0) - 1) AS free
       WHERE free NOT IN (SELECT seat FROM seats WHERE match_id = matches.id)
         AND coalesce(nullif(reserved[free + 1], ''), invited.id) = invited.id) AS "isFull",
     EXISTS (SELECT FROM match_invites WHERE user_id = invited.id AND (match_id = matches.id AND declined_at IS NOT NULL
       OR from_id = $2 AND declined_at > now() - ${DECLINED_FOR})) AS "hasDeclined",
     open.count AS open, open.by_sender AS "openBySender"
   FROM matches LEFT JOIN users AS invited ON invited.username = $3, LATERAL (
     SELECT count(*)::int AS count, (count(*) FILTER (WHERE from_id = $2))::int AS by_sender FROM match_invites
     WHERE user_id = invited.id AND match_id <> $1 AND reason = 'invite' AND ${IS_OPEN}) AS open
   WHERE matches.id = $1`,
)

/** An open invite of a user. Values: invite, user. */
const FIND = statement<{ matchId: MatchId }>(
  'invites.find',
  `SELECT match_id AS "matchId" FROM match_invites WHERE id = $1 AND user_id = $2 AND ${IS_OPEN}`,
)

/** The row is kept for as long as the decline counts. */
const DECLINE = statement<{ userId: string }>(
  'invites.decline',
  `UPDATE match_invites SET declined_at = now(), expires_at = now() + ${DECLINED_FOR} WHERE id = $1 AND user_id = $2 AND ${IS_OPEN} RETURNING user_id AS "userId"`,
)

const REMOVE = statement<{ userId: string }>(
  'invites.remove',
  'DELETE FROM match_invites WHERE id = $1 AND user_id = $2 RETURNING user_id AS "userId"',
)

/** Deletes what nobody needs to see any more. Values: matches. */
const CLOSE = statement<{ userId: string }>(
  'invites.close',
  `DELETE FROM match_invites USING matches
   WHERE match_id = ANY($1) AND matches.id = match_id AND declined_at IS NULL AND (matches.status <> 'waiting' OR reason = 'invite' AND EXISTS (
     SELECT FROM seats WHERE seats.match_id = matches.id AND seats.user_id = match_invites.user_id))
   RETURNING match_invites.user_id AS "userId"`,
)

/** How many invites one run of the job deletes. */
const BATCH = 500

const EXPIRE = statement<{ userId: string }>(
  'invites.expire',
  `DELETE FROM match_invites WHERE id IN (
     SELECT match_invites.id FROM match_invites JOIN matches ON matches.id = match_id
     WHERE CASE WHEN declined_at IS NULL THEN expires_at <= now() OR matches.status <> 'waiting'
       ELSE expires_at <= now() AND matches.status <> 'waiting' END ORDER BY expires_at LIMIT ${BATCH}
     FOR UPDATE OF match_invites SKIP LOCKED)
   RETURNING user_id AS "userId"`,
)

/** Invites as rows. Each change returns the users whose invites it changed; `countChanges` has to follow it. */
export const inviteRows = {
  async ask(sql: Sql, asks: readonly Ask[]): Promise<string[]> {
    await sql.rows(ASK, [
      asks.map(() => randomUUID()),
      asks.map(({ matchId }) => matchId),
      asks.map(({ userId }) => userId),
      asks.map(({ from }) => from),
      asks.map(({ reason }) => reason),
      asks.map(({ expiresAt }) => expiresAt),
    ])
    return asks.map(({ userId }) => userId)
  },
  /** Null when there is no such match. `seatCounts` as `seatCountsOf` gives them. */
  async invitable(sql: Sql, matchId: string, byId: string, username: string, seatCounts: string) {
    const [, found] = await Promise.all([
      sql.rows(LOCK, [username]),
      sql.first(INVITABLE, [matchId, byId, username, seatCounts]),
    ])
    return found
  },
  find: (sql: Sql, id: string, userId: string) => sql.first(FIND, [id, userId]),
  decline: (sql: Sql, id: string, userId: string) => usersOf(sql.rows(DECLINE, [id, userId])),
  remove: (sql: Sql, id: string, userId: string) => usersOf(sql.rows(REMOVE, [id, userId])),
  close: (sql: Sql, matchIds: readonly string[]) => usersOf(sql.rows(CLOSE, [matchIds])),
  expire: (sql: Sql) => usersOf(sql.rows(EXPIRE)),
  read: (sql: Sql, userIds: readonly string[]) => sql.rows(READ, [userIds]),
  /** Counts one change for each user, and reads how their invites are now. */
  async countChanges(sql: Sql, userIds: readonly string[]): Promise<InviteState[]> {
    const users = [...new Set(userIds)]
    if (users.length === 0) return []
    const [, states] = await Promise.all([sql.rows(COUNT, [users]), sql.rows(READ, [users])])
    return states
  },
}

async function usersOf(rows: Promise<{ userId: string }[]>): Promise<string[]> {
  return (await rows).map(({ userId }) => userId)
}
