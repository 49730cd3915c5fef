import { msOf, type Sql, statement } from '../../../db/sql.ts'
import { beforeTime, type PageRequest, readPage } from '../../pages.ts'
import type { MatchId, UserId } from '../../wire.ts'
import { SUMMARY } from '../profiles.ts'
import type { OnlineUser } from '../types.ts'

/** A user whose last socket is gone counts as online for so long. */
export const GRACE_MS = 10_000

export interface PresenceRow {
  readonly userId: UserId
  readonly isConnected: boolean
  /** How long a user who is not connected still counts as online, ms; null for no longer. */
  readonly graceMs: number | null
  readonly isPlaying: boolean
  /** Null also for a match that is not public. */
  readonly matchId: MatchId | null
}

/** SQL: the newest live match of a user, without its id where not everybody may know it. */
const playing = (userId: string) => `LATERAL (
  SELECT CASE WHEN visibility = 'public' AND mode <> 'local' THEN matches.id END AS match_id, true AS is_playing
  FROM seats JOIN matches ON matches.id = seats.match_id
  WHERE seats.user_id = ${userId} AND seats.ended_at IS NULL AND seats.left_at IS NULL AND matches.status = 'live'
  ORDER BY matches.started_at DESC LIMIT 1) AS playing`

/** Values: users. */
const BY_USERS = statement<PresenceRow>(
  'presence.byUsers',
  `SELECT wanted.id AS "userId", EXISTS (SELECT FROM presence WHERE presence.user_id = wanted.id) AS "isConnected",
     ${msOf('departures.at - now()')} + ${GRACE_MS} AS "graceMs",
     coalesce(is_playing, false) AS "isPlaying", playing.match_id AS "matchId"
   FROM unnest($1::text[]) AS wanted (id)
   LEFT JOIN departures ON departures.user_id = wanted.id AND departures.at > now() - interval '${GRACE_MS} milliseconds'
   LEFT JOIN ${playing('wanted.id')} ON true`,
)

export async function readPresence(sql: Sql, userIds: readonly string[]): Promise<ReadonlyMap<string, PresenceRow>> {
  return new Map((await sql.rows(BY_USERS, [userIds])).map((row) => [row.userId, row]))
}

const EXISTING = statement<{ id: string }>('presence.existing', 'SELECT id FROM users WHERE id = ANY($1)')

/** Those of the ids that are of a user. */
export async function existingUsers(sql: Sql, userIds: readonly string[]): Promise<ReadonlySet<string>> {
  if (userIds.length === 0) return new Set()
  return new Set((await sql.rows(EXISTING, [userIds])).map(({ id }) => id))
}

/** Values: the time and id after which the page begins, its length. */
const ONLINE = statement<{ user: OnlineUser; createdAt: Date }>(
  'presence.online',
  `SELECT json_build_object(${SUMMARY}, 'status', CASE WHEN is_playing THEN 'playing' ELSE 'online' END,
     'matchId', playing.match_id) AS "user", users.created_at AS "createdAt"
   FROM (
     SELECT * FROM users
     WHERE id IN (SELECT user_id FROM presence) AND (created_at, id) < ($1::timestamptz, $2)
     ORDER BY created_at DESC, id DESC LIMIT $3) AS users
   LEFT JOIN ${playing('users.id')} ON true
   ORDER BY users.created_at DESC, users.id DESC`,
)

/** Users with a socket to any node, the newest account first. */
export function listOnline(sql: Sql, page: PageRequest) {
  return readPage(page, {
    limit: 50,
    read: (rows) => sql.rows(ONLINE, [...beforeTime(rows), rows.take]),
    key: ({ user, createdAt }) => ({ rank: createdAt.getTime(), id: user.id }),
    item: ({ user }) => user,
  })
}
