import type { Match } from '../../../src/modules/matches/types.ts'
import { useMatch } from './use-match.ts'

const KEY = 'rally-last-match'

/** Keeps in mind, for this tab, which match was played last: a private one is in no list to find it again. */
export function rememberMatch(matchId: string): void {
  try {
    sessionStorage.setItem(KEY, matchId)
  } catch {
    // Storage is off: the match is still at its address.
  }
}

function lastMatchId(): string | null {
  try {
    return sessionStorage.getItem(KEY)
  } catch {
    return null
  }
}

/** The match that the user sits in and that is not over, if this tab knows of one. */
export function useLastMatch(userId: string): Match | null {
  const { data } = useMatch(lastMatchId())
  const isOpen = data?.status === 'waiting' || data?.status === 'live'
  return isOpen && data.players.some((player) => player.userId === userId) ? data : null
}
