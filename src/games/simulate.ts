import type { Game } from './game.ts'

/** From the step of `tick` on, `seat` holds `input`. That step takes the state at `tick` to the one at `tick + 1`. */
export interface InputChange<Input = unknown> {
  readonly tick: number
  readonly seat: number
  readonly input: Input
}

/** What a match needs to be played again. */
export interface InputLog<Input = unknown, Options = unknown> {
  /** An unsigned 32-bit integer. */
  readonly seed: number
  readonly options: Options
  /** In any order; of two for the same tick and seat the later in the list counts. */
  readonly changes: readonly InputChange<Input>[]
  /** How many steps the match took. Changes at this tick or later never come into force. */
  readonly ticks: number
}

/** A state to start from instead of `init`. */
export interface Keyframe<State = unknown> {
  readonly tick: number
  readonly state: State
}

/** The parts of a game that say how its inputs are held. */
export type InputRules<Input> = Pick<Game<never, Input, never>, 'seats' | 'idle' | 'tickRate'>

/**
 * What each seat does in the next step; the server, a predicting client and a replay use it. Every seat begins with
 * `idle`. With a `tickRate` above 0 a seat goes on doing what was set last. In a turn-based game (`tickRate` 0) an
 * input is a step of its own, and after it all seats are idle again. Inputs are kept by reference, must not be
 * modified, and are not validated.
 */
export class HeldInputs<Input> {
  readonly #rules: InputRules<Input>
  readonly #current: Input[]

  constructor(rules: InputRules<Input>) {
    this.#rules = rules
    this.#current = Array.from({ length: rules.seats }, () => rules.idle)
  }

  /** One input a seat, to be passed to the next `step`. Always the same array: do not keep it, do not write to it. */
  get current(): readonly Input[] {
    return this.#current
  }

  /** Sets what `seat` does from the next step on. Answers whether that is a change. @throws RangeError for no seat. */
  set(seat: number, input: Input): boolean {
    const seats = this.#current.length
    if (!isCount(seat) || seat >= seats) throw new RangeError(`no seat ${seat} in a game of ${seats}`)
    if (isSameInput(this.#current[seat], input)) return false
    this.#current[seat] = input
    return true
  }

  /** Sets the changes of a log from the index `from` up to those of `tick`. Answers the index of the next change. */
  setFrom(log: readonly InputChange<Input>[], from: number, tick: number): number {
    let next = from
    for (let change = log[next]; change && change.tick <= tick; change = log[++next])
      this.set(change.seat, change.input)
    return next
  }

  /** To be called after each `step`: in a turn-based game the inputs have had their effect. */
  settle(): void {
    if (this.#rules.tickRate === 0) this.reset()
  }

  reset(): void {
    this.#current.fill(this.#rules.idle)
  }
}

/** Plays a log again, tick by tick or by seeking. After the outcome steps change nothing (see `Game.step`). */
export class Simulation<State, Input, Options> {
  /** The number of steps in the log; `tick` never exceeds it. */
  readonly ticks: number
  readonly #game: Game<State, Input, Options>
  readonly #start: Keyframe<State>
  readonly #changes: readonly InputChange<Input>[]
  readonly #held: HeldInputs<Input>
  #state: State
  #tick = 0
  /** The index of the first change that is not applied yet. */
  #next = 0

  /**
   * With `from`, it starts at that tick with a copy of that state; earlier changes only say what the seats hold then.
   * @throws RangeError if the log names a seat or a tick that cannot be, or ends before it starts.
   */
  constructor(
    game: Game<State, Input, Options>,
    { seed, options, changes, ticks }: InputLog<Input, Options>,
    from?: Keyframe<State>,
  ) {
    this.#game = game
    this.#start = from
      ? { tick: from.tick, state: game.clone(from.state) }
      : { tick: 0, state: game.init({ seed, options }) }
    if (!isCount(this.#start.tick)) throw new RangeError(`a simulation cannot start at tick ${this.#start.tick}`)
    if (!isCount(ticks) || ticks < this.#start.tick) throw new RangeError(`a log cannot have ${ticks} ticks`)
    for (const { tick, seat } of changes) {
      if (!isCount(tick)) throw new RangeError(`a change cannot be at tick ${tick}`)
      if (!isCount(seat) || seat >= game.seats) throw new RangeError(`no seat ${seat} in ${game.name}`)
    }
    this.ticks = ticks
    this.#changes = changes.toSorted((a, b) => a.tick - b.tick)
    this.#held = new HeldInputs<Input>(game)
    this.#state = this.#start.state
    this.#rewind()
  }

  /** The state at `tick`. It is the simulation's own and changes with the next step: `clone` it to keep it. */
  get state(): State {
    return this.#state
  }

  /** The number of steps done: 0 before the first. */
  get tick(): number {
    return this.#tick
  }

  /** Does the step of the current tick. Answers false, and does nothing, at the end of the log. */
  advance(): boolean {
    if (this.#tick >= this.ticks) return false
    this.#next = this.#held.setFrom(this.#changes, this.#next, this.#tick)
    this.#game.step(this.#state, this.#held.current)
    this.#held.settle()
    this.#tick++
    return true
  }

  /** Goes to a tick, back or forth, at most to the ends of the log. @throws RangeError if `tick` is no integer. */
  seek(tick: number): void {
    if (!Number.isInteger(tick)) throw new RangeError(`cannot seek to tick ${tick}`)
    if (tick < this.#tick) this.#rewind()
    while (this.#tick < tick) if (!this.advance()) return
  }

  #rewind(): void {
    this.#state = this.#game.clone(this.#start.state)
    this.#tick = this.#start.tick
    this.#held.reset()
    this.#next = this.#held.setFrom(this.#changes, 0, this.#tick - 1)
    this.#held.settle()
  }
}

/** The place of `input` in the game's table of inputs; -1 when it is not there or the game has no table. */
export function indexOfInput<Input>(game: Pick<Game<never, Input, never>, 'inputs'>, input: Input): number {
  const { inputs } = game
  if (inputs === undefined) return -1
  const known = inputs.indexOf(input)
  return known >= 0 ? known : inputs.findIndex((one) => isSameInput(one, input))
}

/** Whether two inputs are the same JSON value. The order of keys does not count. */
export function isSameInput(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return false
  let keys = 0
  for (const key in a) {
    if (!Object.hasOwn(b, key) || !isSameInput(a[key], b[key])) return false
    keys++
  }
  for (const _ in b) keys--
  return keys === 0
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
