import { useCallback } from 'react'
import type { PresenceList, PresenceOf } from '../../../src/modules/users/types.ts'
import { useRally } from '../rally.ts'
import { type Listener, useSubscription } from './use-subscription.ts'

/** Where users are, as it changes, by their ids; of at most 64. */
export function usePresence(userIds: readonly string[]): ReadonlyMap<string, PresenceOf> {
  const rally = useRally()
  // The same users are the same stream.
  const key = userIds.toSorted().slice(0, 64).join(' ')
  const open = useCallback(
    (listener: Listener<PresenceList>) => rally.users.onPresence({ userIds: key.split(' ') }, listener),
    [rally, key],
  )
  const { data } = useSubscription(key === '' ? null : open)
  return new Map(data?.users.map((each) => [each.userId, each]))
}
