import { useCallback } from 'react'
import type { Match } from '../../../src/modules/matches/types.ts'
import { useRally } from '../rally.ts'
import { type Listener, useSubscription } from './use-subscription.ts'

/** One match as it changes; null follows none. */
export function useMatch(matchId: string | null) {
  const rally = useRally()
  const open = useCallback(
    (listener: Listener<Match>) => rally.matches.onUpdate({ matchId: matchId ?? '' }, listener),
    [rally, matchId],
  )
  return useSubscription(matchId === null ? null : open)
}
