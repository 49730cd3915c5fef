import type { Rollback, Rules } from './rollback.ts'

/**
 * Something between two states that differ little, for drawing only. `share` is 0 at `from` and 1 at `to`. Gives a
 * state of its own; what cannot be in between is as in `to`.
 */
export type Blend<State> = (from: State, to: State, share: number) => State

/** The numeric fields of a flat state that are drawn as positions, each with the largest difference that is movement: more is a jump. */
export type SmoothFields = Readonly<Record<string, number>>

/** Two states of the past's idea of the present: what would be drawn now, had a rollback not happened. */
interface Ghost<State> {
  tick: number
  from: State
  to: State
}

/** A ghost that is this many ticks behind is dropped instead of being brought up to date. */
const MAX_GHOST_TICKS = 30

export interface DrawingOptions<State> {
  readonly blend: Blend<State>
  readonly fields: SmoothFields | null
  /** How long a correction takes to disappear. */
  readonly smoothMs: number
}

/**
 * What is drawn: between the states of two ticks, and after a correction on the way from what was shown to what is
 * right. The way starts with a ghost, the old prediction, which is stepped on with the right inputs until it has faded
 * out; so everything that was not corrected, such as the own paddle, moves as ever.
 */
export class Drawing<State, Input> {
  readonly #game: Rules<State, Input>
  readonly #blend: Blend<State>
  readonly #fields: SmoothFields | null
  readonly #smoothMs: number
  #ghost: Ghost<State> | null = null
  #fadeStartedAt = 0
  /** What was drawn before the corrections that `correct` has yet to be told of. */
  #before: Ghost<State> | null = null

  constructor(game: Rules<State, Input>, options: DrawingOptions<State>) {
    this.#game = game
    this.#blend = options.blend
    this.#fields = options.fields
    this.#smoothMs = options.smoothMs
  }

  /** What to show at `position`, a fraction of ticks, which is at most one after the last drawn state. */
  draw(states: Rollback<State, Input>, position: number, now: number): State {
    const tick = Math.floor(position)
    const part = position - tick
    const right = this.#blend(states.state(tick), states.state(tick + 1), part)
    const share = this.#share(now)
    const ghost = share < 1 ? this.#ghostAt(states, tick) : null
    if (!ghost) {
      this.#ghost = null
      return right
    }
    return this.#blend(this.#blend(ghost.from, ghost.to, part), right, share)
  }

  /** States are about to change by the server's word: keeps what is shown. Costs nothing when called again. */
  hold(states: Rollback<State, Input>, position: number, now: number): void {
    if (this.#before) return
    const tick = Math.floor(position)
    const right = { tick, from: states.state(tick), to: states.state(tick + 1) }
    const share = this.#share(now)
    const ghost = share < 1 ? this.#ghostAt(states, tick) : null
    this.#before = ghost
      ? { tick, from: this.#blend(ghost.from, right.from, share), to: this.#blend(ghost.to, right.to, share) }
      : right
  }

  /**
   * The states are right again: begins to fade from what was held. Answers by how much that is off at `position`; 0
   * when nothing was.
   */
  correct(states: Rollback<State, Input>, position: number, now: number): number {
    const before = this.#before
    this.#before = null
    if (!before) return 0
    const tick = Math.floor(position)
    this.#ghost = before
    const ghost = this.#ghostAt(states, tick)
    if (!ghost) {
      this.#ghost = null
      return 0
    }
    const off = distance(ghost.to, states.state(tick + 1), this.#fields)
    if (off > 0) this.#fadeStartedAt = now
    else this.#ghost = null
    return off
  }

  /** An own input has changed the step of `tick`: what is fading out does it too. */
  redoLast(states: Rollback<State, Input>, tick: number): void {
    const ghost = this.#ghost
    if (ghost && ghost.tick === tick) ghost.to = this.#stepped(states, ghost.from, tick)
  }

  /** Forgets what fades. */
  reset(): void {
    this.#ghost = null
    this.#before = null
  }

  #share(now: number): number {
    return this.#ghost && this.#smoothMs > 0 ? (now - this.#fadeStartedAt) / this.#smoothMs : 1
  }

  #ghostAt(states: Rollback<State, Input>, tick: number): Ghost<State> | null {
    const ghost = this.#ghost
    if (!ghost || tick < ghost.tick || tick - ghost.tick > MAX_GHOST_TICKS) return null
    while (ghost.tick < tick) {
      ghost.tick++
      ghost.from = ghost.to
      ghost.to = this.#stepped(states, ghost.from, ghost.tick)
    }
    return ghost
  }

  #stepped(states: Rollback<State, Input>, from: State, tick: number): State {
    const state = this.#game.clone(from)
    const inputs = Array.from({ length: this.#game.seats }, (_, seat) => states.inputAt(tick, seat))
    this.#game.step(state, inputs)
    return state
  }
}

/** Blends the fields that are listed, and takes the others from `to`. */
export function blendFields<State>(clone: (state: State) => State, fields: SmoothFields): Blend<State> {
  const bounds = Object.entries(fields)
  return (from, to, share) => {
    const shown = clone(to)
    if (share >= 1 || typeof shown !== 'object' || shown === null) return shown
    for (const [name, bound] of bounds) {
      const a = numberIn(from, name)
      const b = numberIn(to, name)
      if (a !== null && b !== null && Math.abs(b - a) <= bound) Reflect.set(shown, name, a + (b - a) * share)
    }
    return shown
  }
}

/** The largest difference between two states in the fields listed, or in all numeric ones. */
function distance(a: unknown, b: unknown, fields: SmoothFields | null): number {
  let most = 0
  for (const name of Object.keys(fields ?? (typeof a === 'object' && a !== null ? a : {}))) {
    most = Math.max(most, Math.abs((numberIn(a, name) ?? 0) - (numberIn(b, name) ?? 0)))
  }
  return most
}

function numberIn(state: unknown, name: string): number | null {
  if (typeof state !== 'object' || state === null) return null
  const value: unknown = Reflect.get(state, name)
  return typeof value === 'number' ? value : null
}
