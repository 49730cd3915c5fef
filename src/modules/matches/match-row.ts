import { batched } from '../../db/batched-lookup.ts'
import { msOf, type Sql, statement } from '../../db/sql.ts'
import type { MatchId } from '../wire.ts'
import type { JoinCode, Match, Player } from './types.ts'

/** A match with its seats as SQL gives it: one value of JSON, which is cheaper to send and to parse than columns. */
export interface MatchRow extends Omit<Match, 'joinUrl' | 'players' | 'returnBy' | 'placements'> {
  readonly seats: readonly SeatRow[]
  /** Empty without a result, and in results that are older than placements. */
  readonly placements: readonly number[]
  /** What opened it for its players; null when a player did. */
  readonly origin: string | null
  readonly hasInvites: boolean
  /** The user who opened it. */
  readonly createdBy: string
  readonly seed: number
  readonly rulesVersion: number
  /** The `version` with which it went live. */
  readonly startVersion: number | null
  /** The node that runs it while it is live, and how often a node has claimed it. */
  readonly nodeId: string | null
  readonly fence: number
}

interface SeatRow extends Player {
  /** Until when the player, who is away, can come back to the live match. */
  readonly returnBy: number | null
  /** When the player left the live match. */
  readonly leftAt: number | null
}

/** The columns of `matches` in a row: all but those that only replays and indices need. */
export const MATCH_COLUMNS = `id, game, mode, status, visibility, code, options, seed, rules_version, version,
  start_version, node_id, fence, created_by, rematch_of, rematch_id, reserved, winner_seat, placements, origin, has_invites, spectators, created_at, starts_at,
  started_at, finished_at, end_reason`

/**
 * SQL for a `MatchRow`. A statement does not see the seats that it changes itself: it says where the new ones are.
 *
 * @param match the name of what holds the columns of the match
 * @param seats what holds the columns of its seats, of no other match's; without it the table
 */
export function matchRow(match: string, seats?: string): string {
  return `json_build_object(
    'id', ${match}.id, 'game', ${match}.game, 'mode', ${match}.mode, 'status', ${match}.status,
    'visibility', ${match}.visibility, 'code', ${match}.code,
    'seats', coalesce((
      SELECT json_agg(json_build_object('seat', seat.seat, 'userId', seat.user_id, 'username', player.username,
        'displayName', seat.display_name, 'score', seat.score, 'connected', seat.connected,
        'rating', CASE WHEN seat.rating_after IS NOT NULL
          THEN json_build_object('before', seat.rating_before, 'after', seat.rating_after) END,
        'returnBy', ${msOf('seat.return_by')}, 'leftAt', ${msOf('seat.left_at')}) ORDER BY seat.seat)
      FROM ${seats ?? 'seats'} AS seat LEFT JOIN users AS player ON player.id = seat.user_id
      ${seats === undefined ? `WHERE seat.match_id = ${match}.id` : ''}), '[]'),
    'winnerSeat', ${match}.winner_seat, 'placements', ${match}.placements, 'origin', ${match}.origin,
    'hasInvites', ${match}.has_invites, 'spectators', ${match}.spectators, 'options', ${match}.options, 'version', ${match}.version,
    'rematchOf', ${match}.rematch_of, 'rematchId', ${match}.rematch_id,
    'createdAt', ${msOf(`${match}.created_at`)}, 'startsAt', ${msOf(`${match}.starts_at`)},
    'startedAt', ${msOf(`${match}.started_at`)}, 'finishedAt', ${msOf(`${match}.finished_at`)},
    'endReason', ${match}.end_reason, 'createdBy', ${match}.created_by, 'seed', ${match}.seed, 'rulesVersion', ${match}.rules_version,
    'startVersion', ${match}.start_version, 'nodeId', ${match}.node_id, 'fence', ${match}.fence)`
}

/** SQL: `MATCH_COLUMNS`, each with the name of its table. */
export function columnsOf(table: string): string {
  return MATCH_COLUMNS.replaceAll(/\w+/g, (column) => `${table}.${column}`)
}

export interface Found {
  readonly row: MatchRow
}

const BY_IDS = statement<Found>('matches.byIds', `SELECT ${matchRow('matches')} AS row FROM matches WHERE id = ANY($1)`)

/** The newest match with the code, which is the waiting one if there is one. */
const BY_CODE = statement<Found>(
  'matches.byCode',
  `SELECT ${matchRow('matches')} AS row FROM matches WHERE code = $1 ORDER BY created_at DESC LIMIT 1`,
)

/** Matches in no particular order. */
export async function readMatches(sql: Sql, ids: readonly string[]): Promise<MatchRow[]> {
  return (await sql.rows(BY_IDS, [ids])).map(({ row }) => row)
}

export async function readByCode(sql: Sql, code: JoinCode): Promise<MatchRow | null> {
  return (await sql.first(BY_CODE, [code]))?.row ?? null
}

/** Makes the look-up of a match by its id: those of one moment share a query. */
export function matchReader(sql: Sql): (id: MatchId) => Promise<MatchRow | undefined> {
  return batched<MatchId, MatchRow>(async (ids) => new Map((await readMatches(sql, ids)).map((row) => [row.id, row])))
}

/** The match as it is on the wire. */
export function toMatch(row: MatchRow, publicUrl: string): Match {
  // The match is decided when no player who is away can come back any more.
  const returnBy = Math.max(0, ...row.seats.map((seat) => (seat.leftAt === null ? (seat.returnBy ?? 0) : 0)))
  return {
    id: row.id,
    game: row.game,
    mode: row.mode,
    status: row.status,
    visibility: row.visibility,
    code: row.code,
    joinUrl: `${publicUrl}/join/${row.code}`,
    players: row.seats.map(toPlayer),
    winnerSeat: row.winnerSeat,
    placements: placementsOf(row),
    spectators: row.spectators,
    options: row.options,
    version: row.version,
    rematchOf: row.rematchOf,
    rematchId: row.rematchId,
    createdAt: row.createdAt,
    startsAt: row.startsAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
    endReason: row.endReason,
    ...(row.status === 'live' && returnBy > 0 ? { returnBy } : {}),
  }
}

function placementsOf({ status, placements, seats, winnerSeat }: MatchRow): number[] | null {
  if (status !== 'finished') return null
  if (placements.length > 0) return [...placements]
  return seats.map(({ seat }) => (winnerSeat === null || winnerSeat === seat ? 1 : 2))
}

function toPlayer({ seat, userId, username, displayName, score, connected, rating }: SeatRow): Player {
  return { seat, userId, username, displayName, score, connected, rating }
}
