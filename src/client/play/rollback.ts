import type { Game } from '../../games/game.ts'
import { hashState } from '../../games/hash.ts'
import { type InputChange, isSameInput } from '../../games/simulate.ts'

/** The rules that a client needs to predict. */
export type Rules<State, Input> = Pick<
  Game<State, Input, never>,
  'name' | 'seats' | 'tickRate' | 'idle' | 'clone' | 'step' | 'smooth'
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

/** An own input that the server has not answered. It takes effect at `tick` at the earliest. */
export interface Pending<Input> extends Placed<Input> {
  /** The tick that it was sent for. */
  readonly named: number
  /** By the caller's clock. */
  readonly sentAt: number
}

/** What the server decided: from the step of `tick` on, `seat` does `input`. */
export interface Decision<Input> extends InputChange<Input> {
  /** How many ticks later it counts than its sender named. */
  readonly moved: number
}

interface SeatInputs<Input> {
  /** What the seat does at the base. */
  held: Input
  /** What the server decided from the base on, in the order of ticks. */
  readonly decided: Placed<Input>[]
  /** Own inputs without an answer, in the order of sending. */
  readonly pending: Pending<Input>[]
}

/** The most changes of a seat between two keyframes. With more the stream makes no sense. */
const MAX_DECIDED = 1024
const MAX_PENDING = 128

/**
 * The states of one match from the last final one, the base, to a predicted one, the tip, and the inputs between. A
 * seat is expected to go on as before; an own input counts from where it is expected until the server says where it
 * did. `redo` steps again what a decision about the past made wrong. Not for turn-based games.
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

  /** `maxAhead`: the most ticks from the base to the tip, which bounds the states kept. */
  constructor(game: Rules<State, Input>, start: Start<State, Input>, maxAhead: number) {
    this.#game = game
    this.#maxAhead = maxAhead
    this.#base = start.tick
    this.#states = [game.clone(start.state)]
    this.#current = Array.from({ length: game.seats }, () => game.idle)
    this.#seats = this.#current.map((idle, seat) => ({ held: start.inputs[seat] ?? idle, decided: [], pending: [] }))
    for (const change of start.changes) this.decide({ ...change, moved: 0 })
  }

  /** The tick of the last final state. */
  get base(): number {
    return this.#base
  }

  /** The last final state; read it only. */
  get final(): State {
    return this.#at(this.#base)
  }

  /** The tick of the newest state. */
  get tip(): number {
    return this.#base + this.#states.length - 1
  }

  get size(): number {
    return this.#states.length
  }

  /** The state at `tick`, or at the nearest one kept; read it only. */
  state(tick: number): State {
    return this.#at(Math.min(Math.max(tick, this.#base), this.tip))
  }

  /** What `seat` does in the step of `tick`, as far as is known. */
  inputAt(tick: number, seat: number): Input {
    const of = this.#seat(seat)
    const last =
      of.pending.findLast((pending) => this.#effective(of, pending) <= tick) ??
      of.decided.findLast((decided) => decided.tick <= tick)
    return last ? last.input : of.held
  }

  /** Whether the server has this input of the seat, or will have it soon. */
  isHeld(seat: number, input: Input): boolean {
    const { pending, decided, held } = this.#seat(seat)
    return pending.length > 0 || isSameInput((decided.at(-1) ?? { input: held }).input, input)
  }

  /** When the oldest own input without an answer was sent; infinity when there is none. */
  get unansweredSince(): number {
    return Math.min(...this.#seats.map(({ pending }) => pending[0]?.sentAt ?? Number.POSITIVE_INFINITY))
  }

  /** Steps on to `tick`, if the base allows. Call `redo` before. */
  advance(tick: number): void {
    const end = Math.min(tick, this.#base + this.#maxAhead)
    while (this.tip < end) this.#step()
  }

  /** Adds an own input, which is sent now for the step of `tick` or later. Answers for which one. */
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

  /** Takes a decision. Gives the pending input that it answers. @throws RangeError for one that does not fit. */
  decide({ tick, seat, input, moved }: Decision<Input>): Pending<Input> | null {
    const of = this.#seats[seat]
    if (!of || tick < this.#base || of.decided.length >= MAX_DECIDED) {
      throw new RangeError(`no change at tick ${tick} of seat ${seat} after tick ${this.#base}`)
    }
    let found: Pending<Input> | null = null
    this.#change(seat, () => {
      const index = of.pending.findIndex((one) => one.named === tick - moved && isSameInput(one.input, input))
      found = of.pending[index] ?? null
      // A seat's inputs are answered in the order of sending: those before it changed nothing, or never arrived.
      of.pending.splice(0, index + 1)
      of.decided.splice(of.decided.findLastIndex((before) => before.tick <= tick) + 1, 0, { tick, input })
    })
    return found
  }

  /** Drops own inputs that were sent before `time`: the server refused them, or they changed nothing. */
  expire(time: number): void {
    for (const [seat, { pending }] of this.#seats.entries()) {
      const kept = pending.findIndex(({ sentAt }) => sentAt >= time)
      if (kept !== 0) this.#change(seat, () => pending.splice(0, kept === -1 ? pending.length : kept))
    }
  }

  /** Makes `tick`, which is final, the base, and answers the hash of its state. Call `redo` for what comes after it. */
  settle(tick: number): number {
    if (tick > this.#base) {
      for (const [seat, { pending }] of this.#seats.entries()) {
        if (pending.length === 0) continue
        // An input without an answer did not take effect before `tick`.
        this.#change(seat, () => {
          for (const [index, one] of pending.entries()) if (one.tick < tick) pending[index] = { ...one, tick }
        })
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

  /** Steps again what is wrong. Answers how many ticks that were, those of `settle` included. */
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

  /** Changes the inputs of a seat, and notes from which tick on that makes a difference. */
  #change(seat: number, change: (of: SeatInputs<Input>) => void): void {
    const { tip } = this
    const before: Input[] = []
    for (let tick = this.#base; tick < tip; tick++) before.push(this.inputAt(tick, seat))
    change(this.#seat(seat))
    for (let tick = this.#base; tick < tip && tick < this.#wrongFrom; tick++) {
      if (!isSameInput(before[tick - this.#base], this.inputAt(tick, seat))) this.#wrongFrom = tick
    }
  }

  /** When an own input takes effect: inputs do so in the order of sending, one a tick. */
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
