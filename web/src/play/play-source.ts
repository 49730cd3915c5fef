import type { Play } from '../../../src/client/play/index.ts'
import { Listeners } from '../listeners.ts'
import type { GameSource } from './game-source.ts'

/** How often a turn-based game is asked whether a turn of this page was refused: nothing else draws it. */
const REFUSED_MS = 500
/** The server takes an input that is late by so much, so that a point may be taken back even later. */
const LATE_INPUT_MS = 100

/** A match that is played or watched live. It keeps its last state when it is not followed any more. */
export class PlaySource<State, Input> implements GameSource<State, Input> {
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
