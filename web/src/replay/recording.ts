import type { Blend } from '../../../src/client/play/index.ts'
import type { Game } from '../../../src/games/game.ts'
import { type InputLog, type Keyframe, Simulation } from '../../../src/games/simulate.ts'
import type { Replay } from '../../../src/modules/live/types.ts'

/** A moment at which somebody scored: the first tick whose state has the new scores. */
export interface Point {
  readonly tick: number
  readonly seat: number
  readonly scores: readonly number[]
}

/** How many states are kept, and how many ticks lie between them at least, so that a jump simulates little. */
const MAX_KEYFRAMES = 512
const MIN_DISTANCE = 240

/** A match that can be shown at any tick: this page simulates it from its inputs. */
export class Recording<State, Input, Options> {
  readonly ticks: number
  readonly points: readonly Point[]
  readonly #game: Game<State, Input, Options>
  readonly #log: InputLog<Input, Options>
  readonly #blend: Blend<State> | null
  readonly #distance: number
  readonly #keyframes: Keyframe<State>[] = []
  readonly #firstScores: readonly number[]
  #simulation: Simulation<State, Input, Options>
  /** A copy of the state at the tick that was asked for last; the simulation is one tick further. */
  #shown: Keyframe<State>

  /**
   * Plays the match through once. With `blend` it can also be seen between two ticks.
   *
   * @throws RangeError or a ZodError when the replay is none of this game.
   */
  constructor(game: Game<State, Input, Options>, replay: Replay, blend: Blend<State> | null) {
    this.#game = game
    this.#blend = blend
    this.#log = {
      seed: replay.seed,
      options: game.options.parse(replay.options),
      changes: replay.changes.map(([tick, seat, input]) => ({ tick, seat, input: game.input.parse(input) })),
      ticks: replay.ticks,
    }
    this.ticks = replay.ticks
    this.#distance = Math.max(MIN_DISTANCE, Math.ceil(replay.ticks / MAX_KEYFRAMES))
    this.#simulation = new Simulation(game, this.#log)
    const first = { tick: 0, state: game.clone(this.#simulation.state) }
    const points: Point[] = []
    let scores = game.scores(first.state)
    this.#firstScores = scores
    this.#keyframes.push(first)
    while (this.#simulation.advance()) {
      const { tick, state } = this.#simulation
      const now = game.scores(state)
      const seat = now.findIndex((score, at) => score > (scores[at] ?? 0))
      if (seat >= 0) points.push({ tick, seat, scores: now })
      scores = now
      if (tick % this.#distance === 0) this.#keyframes.push({ tick, state: game.clone(state) })
    }
    this.points = points
    this.#shown = { tick: this.ticks, state: game.clone(this.#simulation.state) }
  }

  /** The scores after `tick` steps. The same array until they change. */
  scoresAt(tick: number): readonly number[] {
    return this.points.findLast((point) => point.tick <= tick)?.scores ?? this.#firstScores
  }

  /** The state after `tick` steps. The same object for as long as no other tick is asked for; to be read only. */
  state(tick: number): State {
    return this.#look(tick).state
  }

  /** What to draw at `position`, a fraction of ticks. To be read only. */
  draw(position: number): State {
    const { tick, state } = this.#look(Math.floor(position))
    const part = position - tick
    return this.#blend && part > 0 ? this.#blend(state, this.#simulation.state, part) : state
  }

  #look(tick: number): Keyframe<State> {
    const wanted = Math.min(Math.max(0, tick), this.ticks)
    if (this.#shown.tick !== wanted) {
      this.#goTo(wanted)
      this.#shown = { tick: wanted, state: this.#game.clone(this.#simulation.state) }
      this.#simulation.advance()
    }
    return this.#shown
  }

  #goTo(tick: number): void {
    const isNear = tick >= this.#simulation.tick && tick - this.#simulation.tick <= this.#distance
    if (!isNear) {
      const from = this.#keyframes[Math.floor(tick / this.#distance)]
      this.#simulation = new Simulation(this.#game, this.#log, from)
    }
    this.#simulation.seek(tick)
  }
}
