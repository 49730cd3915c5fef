import type { ConnectFourState } from '../../../../src/games/connect-four/index.ts'
import { COLUMNS, EMPTY } from '../../../../src/games/connect-four/rules.ts'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { CONNECT_FOUR_SEATS, type SeatNames } from '../seat-names.ts'

/** What to call the two. Two on one keyboard have one name: the colours tell them apart. */
export function namesOf(players: Match['players']): SeatNames {
  const name = (seat: number) => players.find((player) => player.seat === seat)?.displayName ?? `Player ${seat + 1}`
  const [left, right] = [name(0), name(1)]
  return left === right ? CONNECT_FOUR_SEATS : [left, right]
}

/** The last move in words; empty before the first. */
export function sayMove({ last, board }: ConnectFourState, names: SeatNames, mine: readonly number[] = []): string {
  const mover = last === null ? EMPTY : board[last]
  if (last === null || mover === undefined || mover === EMPTY) return ''
  const who = mine.length === 1 && mine.includes(mover) ? 'You' : names[mover]
  return `${who} dropped in column ${(last % COLUMNS) + 1}.`
}
