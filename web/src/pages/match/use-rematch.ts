import type { Match } from '../../../../src/modules/matches/types.ts'
import { type Action, useAction } from '../../hooks/use-action.ts'
import { useMatch } from '../../hooks/use-match.ts'
import { useRally } from '../../rally.ts'
import { navigate, paths } from '../../router.tsx'

export interface Rematch {
  /** Who has asked for it and waits; null for nobody. */
  readonly host: string | null
  /** Goes to the same match once more: opens it, or takes one's seat in the one that the opponent has opened. */
  readonly again: Action<readonly []>
}

/** What there is to know of a rematch of `match`, which is over. */
export function useRematch(match: Match, mine: readonly number[]): Rematch {
  const rally = useRally()
  const again = useAction(async (call) => {
    const { id } = await rally.matches.rematch({ matchId: match.id }, call)
    navigate(paths.match(id))
  })
  const { data: next } = useMatch(mine.length > 0 ? match.rematchId : null)
  // Who asked and has left since waits for nobody.
  const host = next?.status === 'waiting' ? next.players.find(({ seat }) => !mine.includes(seat)) : undefined
  return { host: host?.displayName ?? null, again }
}
