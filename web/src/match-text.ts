import type { Match } from '../../src/modules/matches/types.ts'
import { playerAt, seatName } from './player-names.ts'

/** `3 : 1`, in the order of the seats, like the scoreboard and `pairing`. */
export function scoreLine(match: Match): string {
  return [0, 1].map((seat) => playerAt(match, seat)?.score ?? 0).join(' : ')
}

/** How a finished match ended, for the player on the seats `mine` (none: a spectator). */
export function resultTitle(match: Match, mine: readonly number[]): string {
  const { winnerSeat } = match
  if (winnerSeat === null) return 'A draw'
  if (mine.length > 1) return `${seatName(match, winnerSeat)} wins`
  if (mine.length === 1) return mine.includes(winnerSeat) ? 'You win' : 'You lose'
  return `${playerAt(match, winnerSeat)?.displayName ?? 'Somebody'} wins`
}

/** Why a match ended other than by its rules; null if it did not. */
export function endWords(match: Match, mine: readonly number[]): string | null {
  switch (match.endReason) {
    case null:
      return null
    case 'forfeit': {
      if (match.winnerSeat === null) return 'A player gave up.'
      const loser = match.players.find((player) => player.seat !== match.winnerSeat)
      if (!loser) return 'A player gave up.'
      if (mine.includes(loser.seat)) return 'You left the match, or did not come back in time.'
      return `${loser.displayName} left the match or did not come back in time.`
    }
    case 'too-slow': {
      const loser = match.players.find((player) => player.seat !== match.winnerSeat)
      if (loser && mine.includes(loser.seat)) return 'It was your turn, and you did not move in time.'
      return `${loser?.displayName ?? 'Somebody'} did not move in time.`
    }
    case 'left':
      return match.mode === 'local' && mine.length > 0 ? 'You ended it.' : 'Its players left.'
    case 'nobody-came':
      return 'Nobody came in time.'
    case 'node-left':
      return 'The server that ran it was stopped. It does not count.'
    case 'node-lost':
      return 'The server that ran it failed. We are sorry.'
    case 'stopped':
      return 'An admin stopped this match.'
    case 'too-long':
      return 'It took too long, or nobody moved.'
    case 'no-show':
      return 'A player did not come to this match of the tournament in time.'
    case 'failed':
      return 'Something went wrong with it. We are sorry; it does not count.'
  }
}
