import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import type { Invite, Invites } from '../../../src/modules/matches/types.ts'
import { useNow } from '../hooks/use-now.ts'
import { type Listener, useSubscription } from '../hooks/use-subscription.ts'
import { useRally, useUser } from '../rally.ts'
import { useSound } from '../sound/sound.ts'

export interface OpenInvites {
  /** The matches that the user is asked to come to, the newest first. */
  readonly open: readonly Invite[]
  /** Those that the user has not put aside, and whose page is not shown. */
  readonly pressing: readonly Invite[]
  /** Puts an invite aside: it stays under the bell. */
  putAside(inviteId: string): void
}

const NONE: readonly Invite[] = []

/** The open invites of the signed-in user. A sound tells of a new one. `matchId` is the match on the page. */
export function useInvites(matchId: string | null): OpenInvites {
  const rally = useRally()
  const sound = useSound()
  const userId = useUser()?.id
  const follow = useMemo(() => {
    if (userId === undefined) return null
    return (listener: Listener<Invites>) => rally.matches.onInvite({}, listener)
  }, [rally, userId])
  const all = useSubscription(follow).data?.invites ?? NONE
  useNow(1_000, all.length > 0)
  const now = rally.clock.now()
  const open = all.filter((invite) => invite.expiresAt > now && invite.matchId !== matchId)

  const known = useRef<ReadonlySet<string>>(new Set())
  useEffect(() => {
    const before = known.current
    known.current = new Set(all.map(({ id }) => id))
    if (all.some(({ id }) => !before.has(id))) sound.play('invite')
  }, [all, sound])

  const [aside, setAside] = useState<readonly string[]>([])
  const putAside = useCallback((inviteId: string) => setAside((before) => [...before.slice(-20), inviteId]), [])
  return { open, pressing: open.filter(({ id }) => !aside.includes(id)), putAside }
}
