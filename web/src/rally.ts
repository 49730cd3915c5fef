import { useCallback, useSyncExternalStore } from 'react'
import { createClient } from '../../src/client/index.ts'
import type { Api } from '../../src/modules/index.ts'
import type { PageNetwork } from './network/page-network.ts'
import { requiredContext } from './store.ts'

/** The page's one connection: every request, stream and game goes through it, and it goes through `network`. */
export function connect(network: PageNetwork) {
  return createClient<Api>({ url: location.origin, createSocket: network.createSocket })
}

export type Rally = ReturnType<typeof connect>

export const [RallyContext, useRally] = requiredContext<Rally>('RallyContext')

function useClientValue<Name extends 'user' | 'status' | 'refusal'>(name: Name, event: 'user' | 'status' | 'refused') {
  const rally = useRally()
  const subscribe = useCallback((changed: () => void) => rally.on(event, changed), [rally, event])
  return useSyncExternalStore(subscribe, (): Rally[Name] => rally[name])
}

/** The signed-in user; null for nobody. Known once the status has been `open`. */
export const useUser = () => useClientValue('user', 'user')
export const useStatus = () => useClientValue('status', 'status')
/** Why the server refuses this page; null where it does not. */
export const useRefusal = () => useClientValue('refusal', 'refused')
