import { useMemo } from 'react'
import type { QueueState } from '../../../src/modules/matches/types.ts'
import { type Listener, useSubscription } from '../hooks/use-subscription.ts'
import { useRally, useUser } from '../rally.ts'

/** Where the signed-in user stands in the queue for ranked matches; undefined until it is known. */
export function useQueue(): QueueState | undefined {
  const rally = useRally()
  const userId = useUser()?.id
  const follow = useMemo(() => {
    if (userId === undefined) return null
    return (listener: Listener<QueueState>) => rally.matches.onQueue({}, listener)
  }, [rally, userId])
  return useSubscription(follow).data
}
