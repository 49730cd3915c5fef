import type { Match } from '../../src/modules/matches/types.ts'
import { viewOf } from './games/index.ts'

type Player = Match['players'][number]

export function seatsOf(match: Match, userId: string | undefined): number[] {
  if (userId === undefined) return []
  return match.players.filter((player) => player.userId === userId).map((player) => player.seat)
}

export function playerAt(match: Match, seat: number): Player | undefined {
  return match.players.find((player) => player.seat === seat)
}

/** The players, in the order of the seats: `ada against bob`, or `You against bob` with ada's seat in `mine`. */
export function pairing(match: Match, mine: readonly number[] = []): string {
  if (match.mode === 'local') {
    const who = match.players[0]?.displayName ?? 'Somebody'
    return mine.length > 0 ? 'Two on one keyboard' : `${who}, two on one keyboard`
  }
  const names = match.players
    .toSorted((one, other) => one.seat - other.seat)
    .map(({ seat, displayName }, index) => (mine.includes(seat) ? (index === 0 ? 'You' : 'you') : displayName))
  return names.length > 0 ? names.join(' against ') : 'Nobody yet'
}

/** The name of a seat in this game: `Left`, `Orange`. */
export function seatName(match: Match, seat: number): string {
  return viewOf(match.game)?.seatNames[seat === 0 ? 0 : 1] ?? `Seat ${seat + 1}`
}
