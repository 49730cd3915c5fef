import type { Game } from '../../games/game.ts'
import { hashState } from '../../games/hash.ts'
import { type InputChange, isSameInput } from '../../games/simulate.ts'

/** The rules that a client needs to predict. */
export type Rules<State, Input> = Pick<
  Game<State, Input, never>,
  'name' | 'seats' | 'tickRate' | 'idle' | 'clone' | 'step'
>

/** Where a rollback begins: everything up to `tick` is final. */
export interface Start<State, Input> {
  readonly tick: number
  readonly state: State
  /** What each seat does at `tick`. */
  readonly inputs: readonly Input[]
  /** What the server decided for `tick` and later. */
  readonly changes: readonly InputChange<Input>[]
}

interface Placed<Input> {
  readonly tick: number
  readonly input: Input
}

/** An own input that the server has not answered, to take effect at `tick` at the earliest. */
export interface Pending<Input> extends Placed<Input> {
  /** The tick that it was sent for. */
  readonly named: number
  /** By the clock of whoever predicts. */
  readonly sentAt: number
}

/** The server's word: from the step of `tick` on, `seat` does `input`. */
export interface Decision<Input> extends InputChange<Input> {
  /** How many ticks later than its sender named it counts. */
  readonly moved: number
}

interface SeatInputs<Input> {
  /** What the seat does at the base, by the server's word. */
  held: Input
  /** The server's word from the base on, in the order of ticks. */
  readonly decided: Placed<Input>[]
  /** Own inputs the server has not answered, in the order in which they were sent. */
  readonly pending: Pending<Input>[]
}

/** Changes a seat may have between two keyframes; over it the stream makes no sense and is begun anew. */
const MAX_DECIDED = 1024
const MAX_PENDING = 128

/**
 * The states of one match from the last final one, the base, to a predicted one, the tip, with the inputs that lead
 * from one to the other. A seat goes on doing what it did last; own inputs hold from where they are expected to take
 * effect until the server says where they did. What the server says about the past makes all later states wrong from
 * there on: `redo` steps them again from the last one that is right.
 *
 * Pure but for the game: no clock, no I/O. Not for turn-based games.
 */
export class Rollback<State, Input> {
  readonly #game: Rules<State, Input>
  readonly #maxAhead: number
  readonly #seats: SeatInputs<Input>[]
  /** The state of every tick from the base on. */
  readonly #states: State[]
  readonly #current: Input[]
  #base: number
  /** The first tick whose step has to be done again; infinity for none. */
  #wrongFrom = Number.POSITIVE_INFINITY
  /** The most ticks stepped again since the last `redo`. */
  #depth = 0

  /** `maxAhead`: how many ticks the tip may be after the base, which bounds the states kept. */
  constructor(game: Rules<State, Input>, start: Start<State, Input>, maxAhead: number) {
    this.#game = game
    this.#maxAhead = maxAhead
    this.#base = start.tick
    this.#states = [game.clone(start.state)]
    this.#current = Array.from({ length: game.seats }, () => game.idle)
    this.#seats = this.#current.map((idle, seat) => ({
      held: start.inputs[seat] ?? idle,
      decided: [],
      pending: [],
    }))
    for (const change of start.changes) this.decide({ ...change, moved: 0 })
  }

  /** The tick of the last final state. */
  get base(): number {
    return this.#base
  }

  /** The last final state; to be read only. */
  get final(): State {
    return this.#at(this.#base)
  }

  /** The tick of the newest state. */
  get tip(): number {
    return this.#base + this.#states.length - 1
  }

  /** How many states are kept. */
  get size(): number {
    return this.#states.length
  }

  /** The state at `tick`, or at the nearest one kept; to be read only. */
  state(tick: number): State {
    return this.#at(Math.min(Math.max(tick, this.#base), this.tip))
  }

  /** What `seat` does in the step of `tick`, as far as is known. */
  inputAt(tick: number, seat: number): Input {
    const of = this.#seat(seat)
    for (let i = of.pending.length - 1; i >= 0; i--) {
      const pending = of.pending[i]
      if (pending && this.#effective(of, pending) <= tick) return pending.input
    }
    for (let i = of.decided.length - 1; i >= 0; i--) {
      const decided = of.decided[i]
      if (decided && decided.tick <= tick) return decided.input
    }
    return of.held
  }

  /** What `seat` does last, by the server's word. */
  decidedInput(seat: number): Input {
    const of = this.#seat(seat)
    return of.decided.at(-1)?.input ?? of.held
  }

  hasPending(seat: number): boolean {
    return this.#seat(seat).pending.length > 0
  }

  /** When the oldest own input without an answer was sent; infinity when there is none. */
  get unansweredSince(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const { pending } of this.#seats) oldest = Math.min(oldest, pending[0]?.sentAt ?? oldest)
    return oldest
  }

  /** Steps on to `tick`, if the base allows. `redo` goes before. */
  advance(tick: number): void {
    const end = Math.min(tick, this.#base + this.#maxAhead)
    while (this.tip < end) this.#step()
  }

  /** An own input that is on its way to the server, to take effect in the step of `tick` or later: answers when. */
  predict(tick: number, seat: number, input: Input, sentAt: number): number {
    const last = this.#seat(seat).pending.at(-1)
    const named = Math.max(tick, last?.named ?? 0)
    this.#change(seat, ({ pending }) => {
      // The server takes one input a seat and tick.
      if (last?.named === named || pending.length >= MAX_PENDING) pending.pop()
      pending.push({ tick: named, named, input, sentAt })
    })
    return named
  }

  /** Takes the server's word. Gives the pending input that this answers, if it does. Throws a RangeError for what cannot be. */
  decide({ tick, seat, input, moved }: Decision<Input>): Pending<Input> | null {
    const of = this.#seats[seat]
    if (!of || tick < this.#base || of.decided.length >= MAX_DECIDED) {
      throw new RangeError(`no change at tick ${tick} of seat ${seat} after tick ${this.#base}`)
    }
    let found: Pending<Input> | null = null
    this.#change(seat, () => {
      const index = of.pending.findIndex((one) => one.named === tick - moved && isSameInput(one.input, input))
      found = of.pending[index] ?? null
      // Those before it changed nothing or never came: a seat's inputs are answered in the order of sending.
      of.pending.splice(0, index + 1)
      let at = of.decided.length
      while (at > 0 && (of.decided[at - 1]?.tick ?? 0) > tick) at--
      of.decided.splice(at, 0, { tick, input })
    })
    return found
  }

  /** Forgets own inputs sent before `time`: the server did not take them, or they changed nothing. */
  expire(time: number): void {
    this.#seats.forEach((of, seat) => {
      if ((of.pending[0]?.sentAt ?? Number.POSITIVE_INFINITY) >= time) return
      this.#change(seat, () => {
        while ((of.pending[0]?.sentAt ?? Number.POSITIVE_INFINITY) < time) of.pending.shift()
      })
    })
  }

  /**
   * Nothing before `tick` can change any more, and all that led there is known: makes it the base, and answers the
   * hash of its state. Steps on as far as that takes; `redo` is to be called for what comes after.
   */
  settle(tick: number): number {
    if (tick > this.#base) {
      for (const [seat, of] of this.#seats.entries()) {
        // What has no answer by now did not happen before `tick`.
        if (of.pending.length > 0) this.#change(seat, () => this.#postpone(of, tick))
      }
      this.#redo()
      while (this.tip < tick) this.#step()
      for (const of of this.#seats) {
        while (of.decided[0] && of.decided[0].tick < tick) of.held = of.decided.shift()?.input ?? of.held
      }
      this.#states.splice(0, tick - this.#base)
      this.#base = tick
    }
    return hashState(this.final)
  }

  /** Steps again what is wrong. Answers how many ticks that were, with those of `settle`; 0 for none. */
  redo(): number {
    this.#redo()
    const depth = this.#depth
    this.#depth = 0
    return depth
  }

  #redo(): void {
    const { tip } = this
    const from = this.#wrongFrom
    this.#wrongFrom = Number.POSITIVE_INFINITY
    if (from >= tip) return
    this.#states.length = from - this.#base + 1
    while (this.tip < tip) this.#step()
    this.#depth = Math.max(this.#depth, tip - from)
  }

  #postpone(of: SeatInputs<Input>, tick: number): void {
    for (const [index, one] of of.pending.entries()) {
      if (one.tick < tick) of.pending[index] = { ...one, tick }
    }
  }

  /** Does something to a seat's inputs, and notes from which tick on its effect differs. */
  #change(seat: number, change: (of: SeatInputs<Input>) => void): void {
    const { tip } = this
    const before: Input[] = []
    for (let tick = this.#base; tick < tip; tick++) before.push(this.inputAt(tick, seat))
    change(this.#seat(seat))
    for (let tick = this.#base; tick < tip && tick < this.#wrongFrom; tick++) {
      if (!isSameInput(before[tick - this.#base], this.inputAt(tick, seat))) this.#wrongFrom = tick
    }
  }

  /** Own inputs take effect in the order of sending and one a tick, hence after the last one that the server answered. */
  #effective(of: SeatInputs<Input>, pending: Pending<Input>): number {
    return Math.max(pending.tick, (of.decided.at(-1)?.tick ?? -1) + 1, this.#base)
  }

  #step(): void {
    const { tip } = this
    for (let seat = 0; seat < this.#current.length; seat++) this.#current[seat] = this.inputAt(tip, seat)
    const state = this.#game.clone(this.#at(tip))
    this.#game.step(state, this.#current)
    this.#states.push(state)
  }

  #seat(seat: number): SeatInputs<Input> {
    const of = this.#seats[seat]
    if (!of) throw new RangeError(`no seat ${seat} in ${this.#game.name}`)
    return of
  }

  #at(tick: number): State {
    const state = this.#states[tick - this.#base]
    if (state === undefined) throw new RangeError(`no state of tick ${tick}`)
    return state
  }
}
