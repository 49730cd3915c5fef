import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Match } from '../../src/modules/matches/types.ts'
import { viewOf } from './games/index.ts'
import { seatsOf } from './player-names.ts'
import { type Rally, useRally, useUser } from './rally.ts'
import { Link, paths, type Route } from './router.tsx'
import { Store } from './store.ts'

/** No more matches than this are followed at once. */
const MAX_FOLLOWED = 8
/** The channel on which tabs of one browser tell each other that there is another match. */
const CHANNEL = 'rally-own-matches'

/** The user's matches that are not over, as they change: in every tab, wherever they were created. */
class OwnMatches extends Store<readonly Match[]> {
  readonly #rally: Rally
  readonly #stops = new Map<string, () => void>()
  readonly #tabs = new BroadcastChannel(CHANNEL)
  #asked = new AbortController()

  constructor(rally: Rally) {
    super([])
    this.#rally = rally
    this.#tabs.addEventListener('message', () => this.look())
  }

  /** Asks the server which matches there are. The known ones are followed already. */
  look(): void {
    this.#asked.abort()
    this.#asked = new AbortController()
    const { signal } = this.#asked
    if (this.#rally.user === null) this.#follow([])
    else {
      this.#rally.matches.list({ mine: true, limit: MAX_FOLLOWED }, { signal }).then(
        ({ items }) => this.#follow(items),
        // The next page, the next connection and the next look at this tab ask again.
        () => undefined,
      )
    }
  }

  /** There may be a new match: looks, and has the other tabs look. */
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
      const next = (match: Match) => this.set(this.current.map((before) => (before.id === matchId ? match : before)))
      const leave = () => {
        this.#stops.delete(matchId)
        this.set(this.current.filter(({ id }) => id !== matchId))
      }
      this.#stops.set(matchId, this.#rally.matches.onUpdate({ matchId }, { next, error: leave, end: leave }))
    }
    const known = new Map(this.current.map((match) => [match.id, match]))
    // An answer may be older than what its stream has sent.
    this.set(matches.map((match) => newer(match, known.get(match.id))))
  }

  override set(matches: readonly Match[]): void {
    super.set(matches.filter(({ status }) => status === 'waiting' || status === 'live'))
  }
}

function newer(one: Match, other: Match | undefined): Match {
  return other && other.version > one.version ? other : one
}

const NONE: readonly Match[] = []
const noMatches = () => NONE
const neverChanges = () => () => undefined

interface OwnMatchesShown {
  /** A match of the user that is not the one on the page: one that is being played goes first. Null for none. */
  readonly other: Match | null
  /** The match on the page is the user's, and is being played. */
  readonly isPlaying: boolean
}

/** The user's matches beside the page of `route`. When `calls` changes, there may be another one. */
export function useOwnMatches(route: Route, calls: string): OwnMatchesShown {
  const rally = useRally()
  const userId = useUser()?.id
  const [own, setOwn] = useState<OwnMatches | null>(null)
  useEffect(() => {
    if (userId === undefined) return
    const matches = new OwnMatches(rally)
    setOwn(matches)
    const shown = () => {
      if (document.visibilityState === 'visible') matches.look()
    }
    document.addEventListener('visibilitychange', shown)
    const stopWelcome = rally.on('welcome', () => matches.look())
    return () => {
      document.removeEventListener('visibilitychange', shown)
      stopWelcome()
      matches.close()
      setOwn(null)
    }
  }, [rally, userId])

  const matchId = route.page === 'match' ? route.matchId : null
  const { page } = route
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page and another call are reasons to look
  useEffect(() => {
    if (matchId === null) own?.look()
    else own?.lookEverywhere()
  }, [own, page, matchId, calls])

  const matches = useSyncExternalStore(own?.onChange ?? neverChanges, own ? () => own.current : noMatches)
  const others = matches.filter(({ id }) => id !== matchId)
  const isPlaying = matches.some((match) => match.id === matchId && isOn(match))
  return { other: others.find(isOn) ?? others[0] ?? null, isPlaying }
}

/** Whether it is being played, or its countdown runs. */
export function isOn({ status, startsAt }: Match): boolean {
  return status === 'live' || (status === 'waiting' && startsAt !== null)
}

/** Leads to a match of the user, from every other page. */
export function OtherMatchNotice({ match }: { match: Match | null }) {
  const user = useUser()
  return (
    // Always there, so that a screen reader tells when it changes.
    <div role="status" data-testid="other-match" data-match={match?.id}>
      {match && (
        <div className={`other-match ${isOn(match) ? 'other-match-on' : ''}`}>
          <span>
            <strong>{sayMatch(match, seatsOf(match, user?.id))}</strong>
            {match.status === 'live' && ' It does not wait for you.'}
          </span>
          <Link
            className={`button button-small ${isOn(match) ? 'button-primary' : ''}`}
            href={paths.match(match.id)}
            data-testid="to-other-match"
          >
            {isOn(match) ? 'Go to it' : 'Open it'}
          </Link>
        </div>
      )}
    </div>
  )
}

function sayMatch(match: Match, mine: readonly number[]): string {
  const opponent = match.players.find(({ seat }) => !mine.includes(seat))
  const which = `Your match${opponent ? ` against ${opponent.displayName}` : ` of ${viewOf(match.game)?.label ?? match.game}`}`
  if (match.status === 'live') return `${which} is on.`
  if (match.startsAt !== null) return `${which} is about to begin.`
  return opponent ? `${which} begins when both of you are here.` : `${which} waits for an opponent.`
}
