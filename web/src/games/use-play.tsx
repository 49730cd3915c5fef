import { useEffect, useState } from 'react'
import type { RallyError } from '../../../src/client/index.ts'
import { type Play, play } from '../../../src/client/play/index.ts'
import type { Game } from '../../../src/games/game.ts'
import type { Match } from '../../../src/modules/matches/types.ts'
import { Listeners } from '../listeners.ts'
import { useNowPlaying } from '../network/page-network.ts'
import { useRally } from '../rally.ts'
import { ReloadButton } from '../ui/button.tsx'
import { ErrorNotice, Notice } from '../ui/notice.tsx'

/**
 * Plays or watches a match for as long as the component is there; `mine` are the seats of this page. It is followed
 * beyond its end, which spectators may come to later than the players. `game` must always be the same object.
 */
export function usePlay<State, Input, Options>(
  match: Match,
  mine: readonly number[],
  game: Game<State, Input, Options>,
): { source: GameSource<State, Input>; error: RallyError | null } {
  const rally = useRally()
  const nowPlaying = useNowPlaying()
  const [source] = useState(() => new PlaySource<State, Input>(game.tickRate))
  const [error, setError] = useState<RallyError | null>(null)
  const matchId = match.id
  const seats = mine.join()
  useEffect(() => {
    setError(null)
    const followed = play(rally, matchId, game, { seats: seats.split(',').filter(Boolean).map(Number) })
    const stops = [source.follow(followed), nowPlaying.set(followed, game.tickRate > 0), followed.on('error', setError)]
    return () => {
      for (const stop of stops) stop()
      followed.stop()
    }
  }, [rally, nowPlaying, source, matchId, seats, game])
  return { source, error }
}

/**
 * Where a view has a game from, and where its inputs go. The view neither knows nor cares whether the state is
 * predicted here, a spectator's, or out of a replay.
 */
export interface GameSource<State, Input> {
  /** What to draw now; null until there is something. */
  state(): State | null
  /** The newest state as it is known, for what is not drawn on every frame; null until there is one. */
  readonly latest: State | null
  /**
   * How long, in ms, what `state` shows may still be taken back: it is ahead of what can be known here by now. 0 where
   * nothing is predicted.
   */
  readonly leadMs: number
  /** What a seat does from now on, or in a turn-based game once. To say the same again costs nothing. */
  input(seat: number, input: Input): void
  /** Calls back whenever `latest` has changed. Answers how to stop that. */
  readonly onChange: (listener: () => void) => () => void
}

/** How often a turn-based game is asked whether a turn of this page was refused: nothing else draws it. */
const REFUSED_MS = 500
/** The server takes an input that is late by so much, so that a point may be taken back even later. */
const LATE_INPUT_MS = 100

/** A match that is played or watched live. It keeps its last state when it is not followed any more. */
class PlaySource<State, Input> implements GameSource<State, Input> {
  readonly #tickRate: number
  readonly #changes = new Listeners()
  #play: Play<State, Input> | null = null
  #latest: State | null = null

  /** `tickRate` is the game's. */
  constructor(tickRate: number) {
    this.#tickRate = tickRate
  }

  get latest(): State | null {
    return this.#latest
  }

  get onChange() {
    return this.#changes.add
  }

  get leadMs(): number {
    if (!this.#play || this.#tickRate === 0) return 0
    const { ticksAhead } = this.#play.figures
    return ticksAhead > 0 ? (ticksAhead * 1000) / this.#tickRate + LATE_INPUT_MS : 0
  }

  state(): State | null {
    return this.#play?.frame() ?? this.#latest
  }

  input(seat: number, input: Input): void {
    this.#play?.input(input, seat)
  }

  /** Shows this match from now on. Answers how to stop. */
  follow(play: Play<State, Input>): () => void {
    this.#play = play
    const take = (state: State | null) => {
      if (state === null) return
      this.#latest = state
      this.#changes.tell()
    }
    const stops = [play.on('state', take)]
    if (this.#tickRate === 0) {
      const timer = setInterval(() => play.frame(), REFUSED_MS)
      // Not from within the drawing that found it out.
      stops.push(
        play.on('correction', () => queueMicrotask(() => take(play.frame()))),
        () => clearInterval(timer),
      )
    }
    return () => {
      for (const stop of stops) stop()
      this.#latest = play.frame() ?? this.#latest
      if (this.#play === play) this.#play = null
    }
  }
}

/** Why a match cannot be followed. A page that is older than the server's rules has to be loaded again. */
export function PlayError({ error }: { error: RallyError | null }) {
  if (error?.code !== 'WRONG_GAME') return <ErrorNotice error={error} />
  return (
    <Notice look="warn">
      The rules of this game have changed since this page was loaded. <ReloadButton />
    </Notice>
  )
}
