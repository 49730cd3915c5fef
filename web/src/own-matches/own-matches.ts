import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Match } from '../../../src/modules/matches/types.ts'
import { Listeners } from '../listeners.ts'
import { type Rally, useRally, useUser } from '../rally.ts'
import type { Route } from '../router.tsx'

/** More than this many at once are nobody's. */
const MAX_FOLLOWED = 8
/** By which the tabs of one browser tell each other that there is another match. */
const CHANNEL = 'rally-own-matches'

/** The user's matches that are not over, as they change: wherever they were begun, and in every tab. */
class OwnMatches {
  readonly #rally: Rally
  readonly #changes = new Listeners()
  readonly #stops = new Map<string, () => void>()
  readonly #tabs = new BroadcastChannel(CHANNEL)
  #matches: readonly Match[] = []
  #asked = new AbortController()

  constructor(rally: Rally) {
    this.#rally = rally
    this.#tabs.addEventListener('message', () => this.look())
  }

  /** The same array until one changes. */
  get current(): readonly Match[] {
    return this.#matches
  }

  get onChange() {
    return this.#changes.add
  }

  /** Asks the server which there are. Those that are known change by themselves. */
  look(): void {
    this.#asked.abort()
    const asked = new AbortController()
    this.#asked = asked
    if (this.#rally.user === null) this.#follow([])
    else {
      this.#rally.matches.list({ mine: true, limit: MAX_FOLLOWED }, { signal: asked.signal }).then(
        ({ items }) => this.#follow(items),
        // It is asked again with the next page, the next connection, and when the tab is seen again.
        () => undefined,
      )
    }
  }

  /** There may be a new one: looks, and has the other tabs look. */
  lookEverywhere(): void {
    this.look()
    this.#tabs.postMessage('look')
  }

  close(): void {
    this.#asked.abort()
    this.#follow([])
    this.#tabs.close()
  }

  #follow(matches: readonly Match[]): void {
    for (const [id, stop] of this.#stops) {
      if (matches.some((match) => match.id === id)) continue
      stop()
      this.#stops.delete(id)
    }
    for (const { id: matchId } of matches) {
      if (this.#stops.has(matchId)) continue
      const leave = () => {
        this.#stops.delete(matchId)
        this.#show(this.#matches.filter(({ id }) => id !== matchId))
      }
      const stop = this.#rally.matches.onUpdate(
        { matchId },
        { next: (match) => this.#update(match), error: leave, end: leave },
      )
      this.#stops.set(matchId, stop)
    }
    const known = new Map(this.#matches.map((match) => [match.id, match]))
    // An answer may be older than what its stream has told.
    this.#show(matches.map((match) => newer(match, known.get(match.id))))
  }

  #update(match: Match): void {
    this.#show(this.#matches.map((before) => (before.id === match.id ? match : before)))
  }

  #show(matches: readonly Match[]): void {
    this.#matches = matches.filter(({ status }) => status === 'waiting' || status === 'live')
    this.#changes.tell()
  }
}

function newer(one: Match, other: Match | undefined): Match {
  return other && other.version > one.version ? other : one
}

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
