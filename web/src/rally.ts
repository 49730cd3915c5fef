import { createContext, use, useCallback, useSyncExternalStore } from 'react'
import { createClient } from '../../src/client/index.ts'
import type { Api } from '../../src/modules/index.ts'
import type { PageNetwork } from './network/page-network.ts'

/** The page's one connection: every request, stream and game goes through it, and it through `network`. */
export function connect(network: PageNetwork) {
  return createClient<Api>({ url: location.origin, createSocket: network.createSocket })
}

export type Rally = ReturnType<typeof connect>

export const RallyContext = createContext<Rally | null>(null)

export function useRally(): Rally {
  const rally = use(RallyContext)
  if (!rally) throw new Error('useRally needs a RallyContext around it')
  return rally
}

/** Who is signed in; null for nobody. Only to be believed once the status has been `open`. */
export function useUser() {
  const rally = useRally()
  const subscribe = useCallback((changed: () => void) => rally.on('user', changed), [rally])
  return useSyncExternalStore(subscribe, () => rally.user)
}

export function useStatus() {
  const rally = useRally()
  const subscribe = useCallback((changed: () => void) => rally.on('status', changed), [rally])
  return useSyncExternalStore(subscribe, () => rally.status)
}
