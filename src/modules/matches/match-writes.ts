import { randomInt, randomUUID } from 'node:crypto'
import { type Sql, statement } from '../../db/sql.ts'
import type { AnyGame, Games } from '../../games/game.ts'
import { lockUser } from '../auth/index.ts'
import { columnsOf, MATCH_COLUMNS, type MatchRow, matchRow } from './match-row.ts'
import type { MatchMode, Visibility } from './types.ts'

// All statements take their locks in one order, so that no two wait for each other: the user's row, then a match's, then
// its seats; of several matches the lower id first, but a rematch before the match that it repeats. Every change of a match
// or of its seats increments its version. A statement reads seats, may wait for the match's row, and then compares the
// version: if it is the one that was read, the seats are up to date. Otherwise it changes nothing, and is run again.

/** The number of seats of each game as JSON, for the statements below. */
export function seatCountsOf(games: Games): string {
  return JSON.stringify(Object.fromEntries(Object.values(games).map(({ name, seats }) => [name, seats])))
}

/** Locks the user's row, then runs a statement that takes seats. The transaction has to be undone when this throws. */
export async function withUserLocked<T>(sql: Sql, userId: string, run: () => Promise<T>): Promise<T> {
  const [, result] = await Promise.all([lockUser(sql, userId), run()])
  return result
}

/** Whether a user is connected to this node or to another. */
export const isConnected = (isHere: string, user: string) =>
  `(${isHere} OR EXISTS (SELECT FROM presence WHERE user_id = ${user}))`

/** SQL: the user may have one more match. */
export const hasRoom = (user: string, max: string) =>
  `(SELECT count(DISTINCT match_id) FROM seats WHERE user_id = ${user} AND ended_at IS NULL) < ${max}`

export interface NewMatch {
  readonly game: AnyGame
  readonly mode: MatchMode
  readonly visibility: Visibility
  readonly options: Readonly<Record<string, unknown>>
  /** Seats that the user takes, and seats of server-side opponents. */
  readonly ownSeats: readonly number[]
  readonly botSeats: readonly number[]
  /** The match that it repeats, and the players for whom its seats are kept, by seat. */
  readonly rematch?: { readonly of: string; readonly reserved: readonly string[] } | undefined
}

/** The player who opens a match or joins one. */
export interface Arrival {
  readonly userId: string
  /** Whether the player has a socket to this node. */
  readonly isHere: boolean
  /** How many waiting and live matches the player may have. */
  readonly maxActive: number
  readonly countdownMs: number
  /** As `seatCountsOf` gives it. */
  readonly seatCounts: string
}

interface Opened {
  readonly hasRoom: boolean
  /** Null when the code is taken or when the match of which this would be a rematch has one. */
  readonly row: MatchRow | null
  /** The match of which it is a rematch, which now names it. */
  readonly before: MatchRow | null
}

/**
 * Values: id, game, mode, visibility, code, options, seed, version of the rules, user, end of the countdown if every seat
 * is taken, matches that the user may have, own seats, whether the user is here, seats of bots, match that it repeats,
 * users for whom its seats are kept.
 */
const OPEN = statement<Opened>(
  'matches.open',
  `WITH opener AS (
     SELECT id, display_name, ${hasRoom('$9', '$11')} AS has_room, ${isConnected('$13', '$9')} AS connected
     FROM users WHERE id = $9),
   opened AS (
     INSERT INTO matches (id, game, mode, visibility, code, options, seed, rules_version, created_by, starts_at,
       rematch_of, reserved)
     SELECT $1, $2, $3::"MatchMode", $4::"MatchVisibility", $5, $6::jsonb, $7, $8, id,
       CASE WHEN connected THEN $10::timestamptz END, $15, $16
     FROM opener WHERE has_room
     ON CONFLICT DO NOTHING RETURNING ${MATCH_COLUMNS}),
   taken AS (
     INSERT INTO seats (match_id, seat, user_id, display_name, connected)
     SELECT opened.id, seat, opener.id, opener.display_name, opener.connected
     FROM opened, opener, unnest($12::int[]) AS seat
     UNION ALL SELECT opened.id, seat, NULL, 'Bot', true FROM opened, unnest($14::int[]) AS seat
     RETURNING *),
   before AS (
     UPDATE matches SET rematch_id = opened.id, version = matches.version + 1, updated_at = now()
     FROM opened WHERE matches.id = opened.rematch_of RETURNING ${columnsOf('matches')})
   SELECT has_room AS "hasRoom", (SELECT ${matchRow('opened', 'taken')} FROM opened) AS row,
     (SELECT ${matchRow('before')} FROM before) AS before
   FROM opener`,
)

/** Digits and capitals without 0, 1, I and O. */
const CODE_ALPHABET = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ'

/** A code of six characters: one of a thousand million. */
export function newJoinCode(): string {
  return Array.from({ length: 6 }, () => CODE_ALPHABET[randomInt(CODE_ALPHABET.length)]).join('')
}

/** Opens a match and takes seats in it. @throws RpcError UNAUTHENTICATED for a user who is banned or gone */
export function openMatch(sql: Sql, match: NewMatch, arrival: Arrival): Promise<Opened | null> {
  const { game, mode, visibility, options, ownSeats, botSeats, rematch } = match
  const { userId, isHere, maxActive, countdownMs } = arrival
  const isFull = ownSeats.length + botSeats.length === game.seats
  return withUserLocked(sql, userId, () =>
    sql.first(OPEN, [
      randomUUID(),
      game.name,
      mode,
      visibility,
      newJoinCode(),
      JSON.stringify(options),
      randomInt(2 ** 31),
      game.version,
      userId,
      isFull ? new Date(Date.now() + countdownMs) : null,
      maxActive,
      ownSeats,
      isHere,
      botSeats,
      rematch?.of ?? null,
      rematch?.reserved ?? [],
    ]),
  )
}

interface Joined {
  readonly row: MatchRow
  /** The user had a seat already. */
  readonly isSeated: boolean
  /** A seat is free for this user. */
  readonly isFree: boolean
  readonly hasRoom: boolean
  readonly isJoined: boolean
}

/** Values: user, seats of each game, matches that the user may have, whether the user is here, end of the countdown; match. */
const join = (name: string, match: string) =>
  statement<Joined>(
    name,
    `WITH found AS (SELECT ${MATCH_COLUMNS} FROM matches WHERE ${match}),
     sitting AS (SELECT seats.* FROM seats JOIN found ON found.id = match_id),
     asked AS (
       SELECT EXISTS (SELECT FROM sitting WHERE user_id = $1) AS is_seated, ${hasRoom('$1', '$3')} AS has_room,
         ${isConnected('$4', '$1')} AS connected, seat_count, (
           SELECT min(seat) FROM generate_series(0, seat_count - 1) AS seat
           WHERE seat NOT IN (SELECT seat FROM sitting) AND coalesce(nullif(reserved[seat + 1], ''), $1) = $1) AS seat
       FROM found, coalesce(($2::jsonb ->> game)::int, 0) AS seat_count),
     joined AS (
       UPDATE matches SET version = matches.version + 1, updated_at = now(), starts_at = CASE
         WHEN asked.connected AND (SELECT count(*) + 1 = seat_count AND bool_and(sitting.connected) FROM sitting) THEN $5::timestamptz END
       FROM found, asked
       WHERE matches.id = found.id AND matches.version = found.version AND matches.status = 'waiting'
         AND NOT is_seated AND asked.seat IS NOT NULL AND has_room
       RETURNING ${columnsOf('matches')}),
     taken AS (
       INSERT INTO seats (match_id, seat, user_id, display_name, connected)
       SELECT joined.id, asked.seat, users.id, users.display_name, asked.connected FROM joined, asked, users WHERE users.id = $1
       RETURNING *)
     SELECT is_seated AS "isSeated", asked.seat IS NOT NULL AS "isFree", has_room AS "hasRoom",
       EXISTS (SELECT FROM joined) AS "isJoined", (
         SELECT ${matchRow('now', '(SELECT * FROM sitting UNION ALL SELECT * FROM taken)')}
         FROM (SELECT * FROM joined UNION ALL SELECT * FROM found WHERE NOT EXISTS (SELECT FROM joined)) AS now) AS row
     FROM asked`,
  )
const JOIN = join('matches.join', 'id = $6')
/** The newest that had the code, which is the one that waits if one does. */
const JOIN_BY_CODE = join('matches.joinByCode', 'code = $6 ORDER BY created_at DESC LIMIT 1')

/** Takes the lowest seat that is free for the user; null when there is no such match. @throws RpcError as `openMatch` */
export function joinMatch(
  sql: Sql,
  by: { readonly matchId: string } | { readonly code: string },
  { userId, isHere, maxActive, countdownMs, seatCounts }: Arrival,
): Promise<Joined | null> {
  const values = [userId, seatCounts, maxActive, isHere, new Date(Date.now() + countdownMs)]
  return withUserLocked(sql, userId, () =>
    'matchId' in by ? sql.first(JOIN, [...values, by.matchId]) : sql.first(JOIN_BY_CODE, [...values, by.code]),
  )
}

interface Left {
  readonly row: MatchRow
  readonly isSeated: boolean
  /** The match waited, and its version is one higher now. */
  readonly isChanged: boolean
  /** The seat has been given up, or there is nothing to give up in a match that is over. */
  readonly isDone: boolean
  /** The match whose rematch this was, which is no longer offered. */
  readonly before: MatchRow | null
}

/** Values: match, user. */
const LEAVE = statement<Left>(
  'matches.leave',
  `WITH found AS (SELECT ${MATCH_COLUMNS} FROM matches WHERE id = $1),
   sitting AS (SELECT * FROM seats WHERE match_id = $1),
   asked AS (
     SELECT EXISTS (SELECT FROM sitting WHERE user_id = $2) AS is_seated,
       EXISTS (SELECT FROM sitting WHERE user_id <> $2) AS has_others
     FROM found),
   changed AS (
     UPDATE matches SET version = matches.version + 1, updated_at = now(),
       starts_at = CASE WHEN has_others THEN NULL ELSE matches.starts_at END,
       status = CASE WHEN has_others THEN 'waiting'::"MatchStatus" ELSE 'aborted' END,
       end_reason = CASE WHEN has_others THEN NULL ELSE 'left' END,
       finished_at = CASE WHEN has_others THEN NULL ELSE now() END
     FROM found, asked
     WHERE matches.id = found.id AND matches.version = found.version AND matches.status = 'waiting' AND is_seated
     RETURNING ${columnsOf('matches')}),
   removed AS (
     DELETE FROM seats USING changed WHERE match_id = changed.id AND user_id = $2 AND changed.status = 'waiting'
     RETURNING seat),
   run AS (
     SELECT matches.id FROM matches JOIN found ON found.id = matches.id
     WHERE matches.status = 'live' AND matches.fence = found.fence FOR NO KEY UPDATE OF matches),
   given_up AS (
     UPDATE seats SET left_at = coalesce(left_at, now()) FROM run WHERE match_id = run.id AND user_id = $2
     RETURNING seat),
   before AS (
     UPDATE matches SET rematch_id = NULL, version = matches.version + 1, updated_at = now()
     FROM changed
     WHERE changed.status = 'aborted' AND matches.id = changed.rematch_of AND matches.rematch_id = changed.id
     RETURNING ${columnsOf('matches')})
   SELECT is_seated AS "isSeated", EXISTS (SELECT FROM changed) AS "isChanged",
     found.status NOT IN ('waiting', 'live') OR EXISTS (SELECT FROM given_up) AS "isDone", (
       SELECT ${matchRow('now', '(SELECT * FROM sitting WHERE seat NOT IN (SELECT seat FROM removed))')}
       FROM (SELECT * FROM changed UNION ALL SELECT * FROM found WHERE NOT EXISTS (SELECT FROM changed)) AS now) AS row,
     (SELECT ${matchRow('before')} FROM before) AS before
   FROM found, asked`,
)

/** Gives up the user's seats; null when there is no such match. A waiting one ends with its last player. */
export function leaveMatch(sql: Sql, matchId: string, userId: string): Promise<Left | null> {
  return sql.first(LEAVE, [matchId, userId])
}

/** Values: matches, whose rows are locked; seats of each game; end of a countdown that begins now. */
const SEATS_CHANGED = statement<{ row: MatchRow }>(
  'matches.seatsChanged',
  `UPDATE matches SET version = version + 1, updated_at = now(), starts_at = CASE
     WHEN status <> 'waiting' THEN starts_at
     WHEN (SELECT count(*) FROM seats WHERE match_id = matches.id AND connected) = ($2::jsonb ->> game)::int
     THEN coalesce(starts_at, $3) END
   WHERE id = ANY($1) RETURNING ${matchRow('matches')} AS row`,
)

/** Notes that this transaction has changed seats. Starts the countdown of a match with all its players, or cancels it. */
export async function noteSeatChanges(
  sql: Sql,
  ids: readonly string[],
  { countdownMs, seatCounts }: Pick<Arrival, 'countdownMs' | 'seatCounts'>,
): Promise<MatchRow[]> {
  const rows = await sql.rows(SEATS_CHANGED, [ids, seatCounts, new Date(Date.now() + countdownMs)])
  return rows.map(({ row }) => row)
}
