import { useUser } from './rally.ts'
import { requiredContext, Store, useStore } from './store.ts'

/** Recovery codes that were shown once, and whose owner has not said yet that they are kept. */
export interface UnkeptCodes {
  readonly userId: string
  readonly username: string
  readonly codes: readonly string[]
  /** They came with a change of the authenticator, which ended all other sessions. */
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
export class UnkeptCodesStore extends Store<UnkeptCodes | null> {
  constructor() {
    super(read())
  }

  override set(codes: UnkeptCodes | null): void {
    try {
      if (codes) sessionStorage.setItem(KEY, JSON.stringify(codes))
      else sessionStorage.removeItem(KEY)
    } catch {
      // Storage is off: they last as long as the page, which asks before it goes.
    }
    super.set(codes)
  }
}

export const [UnkeptCodesContext, useUnkeptCodesStore] = requiredContext<UnkeptCodesStore>('UnkeptCodesContext')

/** The codes that the signed-in user has to keep before anything else; null for none. */
export function useUnkeptCodes(): UnkeptCodes | null {
  const user = useUser()
  const codes = useStore(useUnkeptCodesStore())
  return codes && codes.userId === user?.id ? codes : null
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
