import { createContext, use, useSyncExternalStore } from 'react'
import { useUser } from '../rally.ts'
import type { UnkeptCodes, UnkeptCodesStore } from './unkept-codes.ts'

export const UnkeptCodesContext = createContext<UnkeptCodesStore | null>(null)

export function useUnkeptCodesStore(): UnkeptCodesStore {
  const store = use(UnkeptCodesContext)
  if (!store) throw new Error('useUnkeptCodesStore needs an UnkeptCodesContext around it')
  return store
}

/** The codes that who is signed in has to keep before anything else; null for none. */
export function useUnkeptCodes(): UnkeptCodes | null {
  const store = useUnkeptCodesStore()
  const user = useUser()
  const codes = useSyncExternalStore(store.onChange, () => store.current)
  return codes && codes.userId === user?.id ? codes : null
}
