import { createContext, use, useSyncExternalStore } from 'react'
import { Listeners } from './listeners.ts'
import { useUser } from './rally.ts'

/** Recovery codes that were told this once, and that nobody has said yet to have kept. */
export interface UnkeptCodes {
  /** Whose they are. */
  readonly userId: string
  readonly username: string
  readonly codes: readonly string[]
  /** They are of another authenticator than before, which ended all other sessions. */
  readonly isRenewal: boolean
}

const KEY = 'rally-unkept-codes'

/**
 * Holds recovery codes until their owner says that they are kept: there is no way to see them again.
 *
 * They are in the tab's session storage as well, so that a reload does not lose them. Only this origin's scripts can read
 * it, which could read the codes off the page just as well; it belongs to one tab and ends with it; and the codes leave
 * it when they are kept, when their owner signs out or is signed out, and when somebody else signs in.
 */
export class UnkeptCodesStore {
  readonly #changes = new Listeners()
  #current = read()

  get current(): UnkeptCodes | null {
    return this.#current
  }

  get onChange() {
    return this.#changes.add
  }

  hold(codes: UnkeptCodes): void {
    this.#set(codes)
  }

  forget(): void {
    if (this.#current) this.#set(null)
  }

  #set(codes: UnkeptCodes | null): void {
    this.#current = codes
    try {
      if (codes) sessionStorage.setItem(KEY, JSON.stringify(codes))
      else sessionStorage.removeItem(KEY)
    } catch {
      // Storage is off: they last as long as the page, which asks before it goes.
    }
    this.#changes.tell()
  }
}

function read(): UnkeptCodes | null {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(KEY) ?? 'null')
    return isUnkeptCodes(value) ? value : null
  } catch {
    return null
  }
}

function isUnkeptCodes(value: unknown): value is UnkeptCodes {
  if (typeof value !== 'object' || value === null) return false
  const { userId, username, codes, isRenewal }: Partial<Record<keyof UnkeptCodes, unknown>> = value
  return (
    typeof userId === 'string' &&
    typeof username === 'string' &&
    Array.isArray(codes) &&
    codes.every((code) => typeof code === 'string') &&
    typeof isRenewal === 'boolean'
  )
}

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
