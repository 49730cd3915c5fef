import { type Sql, statement } from '../../db/sql.ts'
import { type Games, gameOf } from '../../games/game.ts'
import { RpcError } from '../../rpc/index.ts'
import type { MatchId } from '../wire.ts'
import { checkOptions } from './match-options.ts'
import { type MatchRow, matchRow } from './match-row.ts'
import type { NewMatch } from './match-writes.ts'

/**
 * The match that repeats `row`, with the same players on the same seats. One that repeats a ranked match is casual: ranked matches
 * come from the queue alone. @throws RpcError MATCH_CLOSED, VALIDATION_FAILED
 */
export function rematchOf(row: MatchRow, userId: string, games: Games): NewMatch {
  const { id, mode, visibility, seats } = row
  const game = gameOf(games, row.game)
  if (!game) throw new RpcError('MATCH_CLOSED', 'This game is not offered any more')
  const seatsOf = (user: string | null) => seats.filter((seat) => seat.userId === user).map(({ seat }) => seat)
  const isAlone = seats.every((seat) => seat.userId === null || seat.userId === userId)
  const reserved = Array.from({ length: game.seats }, (_, at) => seats.find(({ seat }) => seat === at)?.userId ?? '')
  return {
    game,
    mode: mode === 'ranked' ? 'casual' : mode,
    visibility,
    options: checkOptions(game, row.options),
    ownSeats: seatsOf(userId),
    botSeats: mode === 'bot' ? seatsOf(null) : [],
    rematch: { of: id, reserved: isAlone ? [] : reserved },
  }
}

/** Values: matches. */
const WITHDRAW = statement<{ row: MatchRow }>(
  'matches.withdraw',
  `UPDATE matches SET rematch_id = NULL, version = version + 1, updated_at = now()
   WHERE id IN (SELECT rematch_of FROM matches WHERE id = ANY($1) AND status = 'aborted') AND rematch_id = ANY($1)
   RETURNING ${matchRow('matches')} AS row`,
)

/** Withdraws the offers of rematches that were aborted. Answers with the matches that offered them. */
export async function withdrawRematches(sql: Sql, ids: readonly string[]): Promise<MatchRow[]> {
  return (await sql.rows(WITHDRAW, [ids])).map(({ row }) => row)
}

interface Rematch {
  readonly row: MatchRow
  /** The rematch that is not over, if there is one. */
  readonly openId: MatchId | null
}

const REMATCH = statement<Rematch>(
  'matches.rematch',
  `SELECT ${matchRow('matches')} AS row, (
     SELECT id FROM matches AS rematch WHERE rematch_of = $1 AND status IN ('waiting', 'live')) AS "openId"
   FROM matches WHERE id = $1`,
)

export function readRematch(sql: Sql, matchId: MatchId): Promise<Rematch | null> {
  return sql.first(REMATCH, [matchId])
}
