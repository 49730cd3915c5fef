import { useEffect, useState } from 'react'
import type { RallyError } from '../../../src/client/index.ts'
import { type Play, play } from '../../../src/client/play/index.ts'
import type { Game } from '../../../src/games/game.ts'
import type { Match } from '../../../src/modules/matches/types.ts'
import { useNet } from '../network/page-network.ts'
import { useRally } from '../rally.ts'
import { Store } from '../store.ts'
import { ReloadButton } from '../ui/button.tsx'
import { ErrorNotice, Notice } from '../ui/notice.tsx'

/** What a view draws of a game, whether it is predicted here, watched, or recorded. A store: see `useStore`. */
export interface GameSource<State, Input> {
  /** What to draw now; null until there is something. */
  state(): State | null
  /** The newest known state, for what is not drawn on every frame; null until there is one. */
  readonly current: State | null
  /** Calls back whenever `current` has changed. Returns a function that stops. */
  readonly onChange: (listener: () => void) => () => void
  /**
   * How long, in ms, what `state` shows may still be taken back, because it is ahead of what is known here. 0 where
   * nothing is predicted.
   */
  readonly leadMs: number
  /** What a seat does from now on, or in a turn-based game once. Saying the same again costs nothing. */
  input(seat: number, input: Input): void
}

/**
 * Plays or watches a match for as long as the component is there; `mine` are the seats of this page. It is followed
 * beyond its end, which spectators see later than the players. `game` must always be the same object.
 */
export function usePlay<State, Input, Options>(
  match: Match,
  mine: readonly number[],
  game: Game<State, Input, Options>,
): { source: GameSource<State, Input>; error: RallyError | null } {
  const rally = useRally()
  const { followed } = useNet()
  const [source] = useState(() => new PlaySource<State, Input>(game.tickRate))
  const [error, setError] = useState<RallyError | null>(null)
  const matchId = match.id
  const seats = mine.join()
  useEffect(() => {
    setError(null)
    const own = play(rally, matchId, game, { seats: seats.split(',').filter(Boolean).map(Number) })
    const shown = { play: own, isTimed: game.tickRate > 0 }
    followed.set(shown)
    const stops = [source.follow(own), own.on('error', setError)]
    return () => {
      for (const stop of stops) stop()
      own.stop()
      if (followed.current === shown) followed.set(null)
    }
  }, [rally, followed, source, matchId, seats, game])
  return { source, error }
}

/** Why a match cannot be followed. A page that is older than the server's rules has to be reloaded. */
export function PlayError({ error }: { error: RallyError | null }) {
  if (error?.code !== 'WRONG_GAME') return <ErrorNotice error={error} />
  return (
    <Notice look="warn">
      The rules of this game have changed since this page was loaded. <ReloadButton />
    </Notice>
  )
}

/** How often a turn-based game looks whether a turn of this page was refused: nothing else draws it. */
const REFUSED_MS = 500

/** A match that is played or watched live. It keeps its last state when it is no longer followed. */
class PlaySource<State, Input> extends Store<State | null> implements GameSource<State, Input> {
  readonly #tickRate: number
  #play: Play<State, Input> | null = null

  /** `tickRate` is the game's. */
  constructor(tickRate: number) {
    super(null)
    this.#tickRate = tickRate
  }

  get leadMs(): number {
    if (!this.#play || this.#tickRate === 0) return 0
    const { ticksAhead, rewindTicks } = this.#play.figures
    return ticksAhead > 0 ? ((ticksAhead + rewindTicks) * 1000) / this.#tickRate : 0
  }

  state(): State | null {
    return this.#play?.frame() ?? this.current
  }

  input(seat: number, input: Input): void {
    this.#play?.input(input, seat)
  }

  /** Shows this match from now on. Returns a function that stops. */
  follow(play: Play<State, Input>): () => void {
    this.#play = play
    const take = (state: State | null) => {
      if (state !== null) this.set(state)
    }
    const stops = [play.on('state', take)]
    if (this.#tickRate === 0) {
      const timer = setInterval(() => play.frame(), REFUSED_MS)
      // A correction is found while drawing: React must not be told then.
      stops.push(
        play.on('correction', () => queueMicrotask(() => take(play.frame()))),
        () => clearInterval(timer),
      )
    }
    return () => {
      for (const stop of stops) stop()
      take(play.frame())
      if (this.#play === play) this.#play = null
    }
  }
}
