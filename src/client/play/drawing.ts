import type { Rollback, Rules } from './rollback.ts'
import type { Blend, PlayOptions, SmoothFields } from './types.ts'

/** Two states around the present as they were predicted before a rollback. */
interface OldPrediction<State> {
  tick: number
  from: State
  to: State
}

/** An old prediction that is more ticks behind is dropped instead of being stepped to the present. */
const MAX_OLD_TICKS = 30
/** How long a correction takes to disappear from the picture by default. */
const SMOOTH_MS = 100

/**
 * What is drawn: a blend of two ticks. After a correction the old prediction is stepped on with the right inputs, and
 * the picture fades to what is right. So what was not corrected, as the own paddle, moves as before.
 */
export class Drawing<State, Input> {
  readonly #game: Rules<State, Input>
  readonly #blend: Blend<State>
  readonly #fields: SmoothFields | null
  readonly #smoothMs: number
  #old: OldPrediction<State> | null = null
  #fadeStartedAt = 0
  /** What was drawn before the correction that is under way. */
  #before: OldPrediction<State> | null = null

  constructor(game: Rules<State, Input>, { smooth = game.smooth ?? {}, smoothMs = SMOOTH_MS }: PlayOptions<State>) {
    const isBlend = typeof smooth === 'function'
    this.#game = game
    this.#blend = isBlend ? smooth : blendFields((state) => game.clone(state), smooth)
    this.#fields = isBlend ? null : smooth
    this.#smoothMs = smoothMs
  }

  /** What to show at `position`, a fraction of ticks. */
  draw(states: Rollback<State, Input>, position: number, now: number): State {
    const tick = Math.floor(position)
    const part = position - tick
    const right = this.#blend(states.state(tick), states.state(tick + 1), part)
    const share = this.#share(now)
    this.#old = share < 1 ? this.#oldAt(states, tick) : null
    return this.#old ? this.#blend(this.#blend(this.#old.from, this.#old.to, part), right, share) : right
  }

  /** Keeps what is shown, as the server is about to correct states. A second call before `correct` does nothing. */
  hold(states: Rollback<State, Input>, position: number, now: number): void {
    if (this.#before) return
    const tick = Math.floor(position)
    const right = { tick, from: states.state(tick), to: states.state(tick + 1) }
    const share = this.#share(now)
    const old = share < 1 ? this.#oldAt(states, tick) : null
    this.#before = old
      ? { tick, from: this.#blend(old.from, right.from, share), to: this.#blend(old.to, right.to, share) }
      : right
  }

  /** The states are right again: begins to fade from what was kept. Answers how far off that is at `position`. */
  correct(states: Rollback<State, Input>, position: number, now: number): number {
    const before = this.#before
    this.#before = null
    if (!before) return 0
    const tick = Math.floor(position)
    this.#old = before
    const old = this.#oldAt(states, tick)
    const off = old ? distance(old.to, states.state(tick + 1), this.#fields) : 0
    if (off > 0) this.#fadeStartedAt = now
    else this.#old = null
    return off
  }

  /** An own input has changed the step of `tick`: the old prediction does that step again too. */
  redoLast(states: Rollback<State, Input>, tick: number): void {
    const old = this.#old
    if (old && old.tick === tick) old.to = this.#stepped(states, old.from, tick)
  }

  /** Fades from nothing any more. */
  reset(): void {
    this.#old = null
    this.#before = null
  }

  #share(now: number): number {
    return this.#old && this.#smoothMs > 0 ? (now - this.#fadeStartedAt) / this.#smoothMs : 1
  }

  #oldAt(states: Rollback<State, Input>, tick: number): OldPrediction<State> | null {
    const old = this.#old
    if (!old || tick < old.tick || tick - old.tick > MAX_OLD_TICKS) return null
    while (old.tick < tick) {
      old.tick++
      old.from = old.to
      old.to = this.#stepped(states, old.from, old.tick)
    }
    return old
  }

  #stepped(states: Rollback<State, Input>, from: State, tick: number): State {
    const state = this.#game.clone(from)
    const inputs = Array.from({ length: this.#game.seats }, (_, seat) => states.inputAt(tick, seat))
    this.#game.step(state, inputs)
    return state
  }
}

/** Blends the listed fields, and takes the others from `to`. */
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

/** The largest difference between two states in the listed fields, or in all numeric ones. */
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
