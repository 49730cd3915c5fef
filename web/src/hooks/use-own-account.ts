import { useEffect, useState } from 'react'
import type { User } from '../../../src/modules/auth/types.ts'
import { useRally, useUser } from '../rally.ts'

/** The signed-in user's account, read again with each connection: the role may have changed. Null until it is known. */
export function useOwnAccount(): User | null {
  const rally = useRally()
  const userId = useUser()?.id
  const [account, setAccount] = useState<User | null>(null)
  useEffect(() => {
    if (userId === undefined) return
    let active = true
    const read = async () => {
      const answer = await rally.auth.me.try()
      if (active && answer.ok) setAccount(answer.data)
    }
    void read()
    const stop = rally.on('welcome', () => void read())
    return () => {
      active = false
      stop()
    }
  }, [rally, userId])
  return account?.id === userId ? account : null
}
