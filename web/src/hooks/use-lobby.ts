import { useCallback } from 'react'
import type { Lobby } from '../../../src/modules/matches/types.ts'
import { useRally } from '../rally.ts'
import { type Listener, useSubscription } from './use-subscription.ts'

/** The public matches that wait or are live, as they change. */
export function useLobby() {
  const rally = useRally()
  const open = useCallback((listener: Listener<Lobby>) => rally.matches.onLobby({}, listener), [rally])
  return useSubscription(open)
}
