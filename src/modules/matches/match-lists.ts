import { type Sql, statement } from '../../db/sql.ts'
import { beforeTime, type PageRows } from '../pages.ts'
import type { MatchId } from '../wire.ts'
import { type Found, MATCH_COLUMNS, type MatchRow, matchRow } from './match-row.ts'
import { END_IS_HIDDEN } from './spectator-delay.ts'
import type { MatchStatus } from './types.ts'

/** A page begins before this time and id, and has so many rows. */
const from = (rows: PageRows) => [...beforeTime(rows), rows.take]

const IS_PUBLIC = `visibility = 'public' AND mode <> 'local'`

/**
 * SQL: the newest public matches of each status and game, some of each. A waiting rematch is left out, because its seats
 * are kept for certain players. A match whose end is hidden counts as live until it may be seen.
 */
export function newestPublic(by: { statuses: string; games: string; limit: string; after?: string }): string {
  const { statuses, games, limit, after = 'true' } = by
  return `
    SELECT newest.*
    FROM unnest(${statuses}::"MatchStatus"[]) AS wanted_status, unnest(${games}::text[]) AS wanted_game, LATERAL (
      SELECT ${MATCH_COLUMNS} FROM matches
      WHERE status = wanted_status AND game = wanted_game AND ${IS_PUBLIC} AND ${after}
        AND (status <> 'waiting' OR reserved = '{}')
        AND NOT (status IN ('finished', 'aborted') AND ${END_IS_HIDDEN})
      ORDER BY created_at DESC, id DESC LIMIT ${limit}) AS newest
    UNION ALL
    SELECT ${MATCH_COLUMNS} FROM matches
    WHERE 'live' = ANY(${statuses}::"MatchStatus"[]) AND game = ANY(${games}::text[]) AND ${IS_PUBLIC} AND ${after}
      AND ${END_IS_HIDDEN}`
}

const AFTER = '(created_at, id) < ($3::timestamptz, $4::text)'

/** Values: statuses, games, then `from`. */
const PUBLIC = statement<Found>(
  'matches.public',
  `SELECT ${matchRow('listed')} AS row
   FROM (${newestPublic({ statuses: '$1', games: '$2', limit: '$5', after: AFTER })}
     ORDER BY created_at DESC, id DESC LIMIT $5) AS listed
   ORDER BY created_at DESC, id DESC`,
)

/** Matches of a user. Values: statuses, games, then `from`, then the user. */
const own = (name: string, seats: string) =>
  statement<Found>(
    name,
    `SELECT ${matchRow('listed')} AS row FROM (
       SELECT ${MATCH_COLUMNS} FROM matches
       WHERE id IN (SELECT match_id FROM seats WHERE user_id = $6 AND ${seats})
         AND status = ANY($1::"MatchStatus"[]) AND game = ANY($2) AND ${AFTER}
       ORDER BY created_at DESC, id DESC LIMIT $5) AS listed
     ORDER BY created_at DESC, id DESC`,
  )
const OWN_OPEN = own('matches.ownOpen', 'ended_at IS NULL')
const OWN_ENDED = own('matches.ownEnded', 'ended_at IS NOT NULL')

interface Listed extends PageRows {
  readonly games: readonly string[]
  /** Default: those that are not over. */
  readonly status: MatchStatus | undefined
}

/** Public matches, or with `userId` all matches of this user, newest first. */
export async function listMatches(sql: Sql, listed: Listed, userId: string | null): Promise<MatchRow[]> {
  const { games, status } = listed
  const values = [status ? [status] : ['waiting', 'live'], games, ...from(listed)]
  const isOver = status === 'finished' || status === 'aborted'
  const rows = userId
    ? await sql.rows(isOver ? OWN_ENDED : OWN_OPEN, [...values, userId])
    : await sql.rows(PUBLIC, values)
  return rows.map(({ row }) => row)
}

/** In mode `local` the first of the player's seats counts. Values: username, whether the player asks, then `from`. */
const HISTORY = statement<Found>(
  'matches.history',
  `SELECT ${matchRow('matches')} AS row
   FROM (
     SELECT seats.match_id, seats.ended_at
     FROM seats JOIN matches ON matches.id = seats.match_id
     WHERE seats.user_id = (SELECT id FROM users WHERE username = $1)
       AND seats.ended_at IS NOT NULL AND matches.status = 'finished'
       AND (matches.mode <> 'local' OR seats.seat = 0)
       AND ($2 OR (matches.visibility = 'public' AND NOT ${END_IS_HIDDEN}))
       AND (seats.ended_at, seats.match_id) < ($3::timestamptz, $4::text)
     ORDER BY seats.ended_at DESC, seats.match_id DESC LIMIT $5) AS played
   JOIN matches ON matches.id = played.match_id
   ORDER BY played.ended_at DESC, played.match_id DESC`,
)

export async function readHistory(sql: Sql, username: string, isOwn: boolean, page: PageRows): Promise<MatchRow[]> {
  return (await sql.rows(HISTORY, [username, isOwn, ...from(page)])).map(({ row }) => row)
}

/** Which of all matches. */
export interface MatchFilter {
  readonly status?: MatchStatus | undefined
  readonly game?: string | undefined
  /** With a seat of this user. */
  readonly userId?: string | undefined
}

/** Values: `from`, statuses, game or null, user or null. */
const ALL = statement<Found>(
  'matches.all',
  `SELECT ${matchRow('matches')} AS row FROM matches
   WHERE (created_at, id) < ($1::timestamptz, $2::text) AND status = ANY($4::"MatchStatus"[])
     AND ($5::text IS NULL OR game = $5)
     AND ($6::text IS NULL OR id IN (SELECT match_id FROM seats WHERE user_id = $6))
   ORDER BY created_at DESC, id DESC LIMIT $3`,
)
const ANY_STATUS: readonly MatchStatus[] = ['waiting', 'live', 'finished', 'aborted']

/** All matches, private and local ones too, the newest first. */
export async function listAllMatches(sql: Sql, page: PageRows, filter: MatchFilter): Promise<MatchRow[]> {
  const { status, game = null, userId = null } = filter
  const rows = await sql.rows(ALL, [...from(page), status ? [status] : ANY_STATUS, game, userId])
  return rows.map(({ row }) => row)
}

const OPEN_OF = statement<{ id: MatchId }>(
  'matches.openOf',
  'SELECT DISTINCT match_id AS id FROM seats WHERE user_id = $1 AND ended_at IS NULL ORDER BY id',
)

/** The waiting and live matches in which the user has a seat, the lowest id first. */
export async function openMatchesOf(sql: Sql, userId: string): Promise<MatchId[]> {
  return (await sql.rows(OPEN_OF, [userId])).map(({ id }) => id)
}
