import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Match } from '../../../src/modules/matches/types.ts'
import { type Rally, useRally, useUser } from '../rally.ts'
import type { Route } from '../router.tsx'
import { OwnMatches } from './own-matches.ts'

const NONE: readonly Match[] = []
const noMatches = () => NONE
const neverChanges = () => () => undefined

/**
 * The most pressing match of the user that is not the one of `route`: one that is on or about to be goes first. Null for
 * none.
 */
export function useOtherMatch(route: Route): Match | null {
  const rally = useRally()
  const userId = useUser()?.id
  const [own, setOwn] = useState<OwnMatches | null>(null)
  useEffect(() => {
    if (userId === undefined) return
    const matches = new OwnMatches(rally)
    setOwn(matches)
    const stop = watch(rally, matches)
    return () => {
      stop()
      matches.close()
      setOwn(null)
    }
  }, [rally, userId])

  const matchId = route.page === 'match' ? route.matchId : null
  const { page } = route
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page is a reason to look
  useEffect(() => {
    if (matchId === null) own?.look()
    else own?.lookEverywhere()
  }, [own, page, matchId])

  const matches = useSyncExternalStore(own?.onChange ?? neverChanges, own ? () => own.current : noMatches)
  const others = matches.filter(({ id }) => id !== matchId)
  return others.find(isOn) ?? others[0] ?? null
}

/** Whether it is being played, or its countdown runs. */
export function isOn({ status, startsAt }: Match): boolean {
  return status === 'live' || (status === 'waiting' && startsAt !== null)
}

function watch(rally: Rally, matches: OwnMatches): () => void {
  const seen = () => {
    if (document.visibilityState === 'visible') matches.look()
  }
  document.addEventListener('visibilitychange', seen)
  const stopWelcome = rally.on('welcome', () => matches.look())
  return () => {
    document.removeEventListener('visibilitychange', seen)
    stopWelcome()
  }
}
