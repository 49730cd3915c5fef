import type { AnyGame, Outcome } from '../games/game.ts'
import { hashState } from '../games/hash.ts'
import { HeldInputs, type InputChange, isSameInput } from '../games/simulate.ts'

/** How a run ended: by the rules, or because it could not go on. */
export type RunEnd =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'aborted'; readonly reason: 'failed' | 'too-long'; readonly error?: unknown }

/** Told of what a runner does, on the hot path: none of these may throw or wait. */
export interface RunnerListener {
  /** The state has moved on by one tick, or by a late input. */
  stepped(runner: MatchRunner): void
  /** From the step of `tick` on, `seat` does `input`. `tick` may have passed already: then the past was simulated anew. */
  changed(runner: MatchRunner, tick: number, seat: number, input: unknown): void
  /** Called once, last. */
  ended(runner: MatchRunner, end: RunEnd): void
}

export interface RunnerSetup {
  readonly matchId: string
  readonly game: AnyGame
  /** An unsigned 32-bit integer. */
  readonly seed: number
  /** As the game's own schema parsed them. */
  readonly options: unknown
  /** Seats that the game's bot plays. */
  readonly botSeats: readonly number[]
  /** How far back an input may take effect, ticks; 0 turns rewinding off. */
  readonly maxRewindTicks: number
}

/** How far ahead of the clock an input may be planned, and how many may be at once. */
const MAX_AHEAD_TICKS = 120
const MAX_PLANNED = 64
/** A match that lasts longer is broken off: an hour of a game at 60 ticks a second. */
const MAX_TICKS = 60 * 60 * 60

interface Keyframe {
  tick: number
  state: unknown
  inputs: readonly unknown[]
}

/**
 * Runs one match: sockets queue inputs, the clock alone advances. Everything that decides the game is in `seed`,
 * `options` and `log`, so that the match can be replayed, verified or taken up by another process.
 */
export class MatchRunner {
  readonly matchId: string
  readonly game: AnyGame
  readonly seed: number
  readonly options: unknown
  readonly botSeats: readonly number[]
  readonly #listener: RunnerListener
  readonly #maxRewindTicks: number
  readonly #held: HeldInputs<unknown>
  readonly #log: InputChange[] = []
  readonly #planned: InputChange[] = []
  /** The tick of each seat's last change: a seat's inputs take effect in the order in which they were sent. */
  readonly #lastChange: number[]
  #older: Keyframe | undefined
  #newer: Keyframe | undefined
  #state: unknown
  #tick = 0
  #over = false

  constructor(setup: RunnerSetup, listener: RunnerListener) {
    this.matchId = setup.matchId
    this.game = setup.game
    this.seed = setup.seed
    this.options = setup.options
    this.botSeats = setup.botSeats
    this.#maxRewindTicks = setup.game.tickRate === 0 ? 0 : setup.maxRewindTicks
    this.#listener = listener
    this.#held = new HeldInputs(setup.game)
    this.#lastChange = Array.from({ length: setup.game.seats }, () => 0)
    this.#state = setup.game.init({ seed: setup.seed, options: setup.options })
  }

  /** Steps done so far. */
  get tick(): number {
    return this.#tick
  }

  /** The state at `tick`; the runner's own, to be read only, and only until the next step. */
  get state(): unknown {
    return this.#state
  }

  /** What each seat does in the next step; to be read only. */
  get inputs(): readonly unknown[] {
    return this.#held.current
  }

  /** Every change of an input so far, in the order of ticks. */
  get log(): readonly InputChange[] {
    return this.#log
  }

  get isOver(): boolean {
    return this.#over
  }

  /**
   * Lets `seat` do `input` from `atTick` on: planned if that is ahead, in the past if that is not older than the
   * rewinding allows, else, or without `atTick`, from now. `input` must have passed the game's schema.
   */
  input(seat: number, input: unknown, atTick = this.#tick): void {
    if (this.#over) return
    try {
      if (this.game.tickRate === 0) this.#turn(seat, input)
      else this.#schedule({ tick: Math.max(atTick, this.#lastChange[seat] ?? 0), seat, input })
    } catch (error) {
      this.#end({ kind: 'aborted', reason: 'failed', error })
    }
  }

  /** The seat's player has left: it does nothing any more. */
  release(seat: number): void {
    if (this.game.tickRate !== 0) this.input(seat, this.game.idle)
  }

  /** One step of a game that goes by the clock. */
  advance(): void {
    if (this.#over) return
    try {
      this.#takePlanned()
      for (const seat of this.botSeats) this.#change(seat, this.game.bot(this.#state, seat))
      this.#keepFrame()
      this.#step()
    } catch (error) {
      this.#end({ kind: 'aborted', reason: 'failed', error })
    }
  }

  /** Lets the bots of a turn-based game play if it is their turn. */
  takeBotTurn(): void {
    for (const seat of this.botSeats) {
      if (this.#over) return
      try {
        const input = this.game.bot(this.#state, seat)
        if (!isSameInput(input, this.game.idle)) this.#turn(seat, input)
      } catch (error) {
        this.#end({ kind: 'aborted', reason: 'failed', error })
      }
    }
  }

  /** Breaks the run off from outside; nobody is told. */
  stop(): void {
    this.#over = true
  }

  #schedule(change: InputChange): void {
    if (change.tick > this.#tick) this.#plan(change)
    else if (change.tick < this.#tick && this.#tick - change.tick <= this.#maxRewindTicks) this.#rewind(change)
    else this.#change(change.seat, change.input)
  }

  #plan(change: InputChange): void {
    const tick = Math.min(change.tick, this.#tick + MAX_AHEAD_TICKS)
    if (this.#planned.length >= MAX_PLANNED) this.#planned.shift()
    this.#planned.push({ ...change, tick })
  }

  #takePlanned(): void {
    for (let i = 0; i < this.#planned.length; ) {
      const change = this.#planned[i]
      if (change && change.tick <= this.#tick) {
        this.#planned.splice(i, 1)
        this.#change(change.seat, change.input)
      } else i++
    }
  }

  /** Sets what a seat does in the next step. */
  #change(seat: number, input: unknown): void {
    if (!this.#held.set(seat, input)) return
    this.#lastChange[seat] = this.#tick
    this.#log.push({ tick: this.#tick, seat, input })
    this.#listener.changed(this, this.#tick, seat, input)
  }

  /** Takes a late input as if it had come in time: from the keyframe before it, the game is stepped again. */
  #rewind(change: InputChange): void {
    const frame = this.#newer && this.#newer.tick <= change.tick ? this.#newer : this.#older
    if (!frame || frame.tick > change.tick) {
      this.#change(change.seat, change.input)
      return
    }
    let at = this.#log.length
    while (at > 0 && (this.#log[at - 1]?.tick ?? 0) > change.tick) at--
    this.#log.splice(at, 0, change)
    this.#lastChange[change.seat] = change.tick

    this.#state = this.game.clone(frame.state)
    frame.inputs.forEach((input, seat) => {
      this.#held.set(seat, input)
    })
    let next = at
    while (next > 0 && (this.#log[next - 1]?.tick ?? 0) >= frame.tick) next--
    for (let tick = frame.tick; tick < this.#tick; tick++) {
      next = this.#replayChanges(next, tick)
      if (this.#newer && this.#newer !== frame && this.#newer.tick === tick) this.#newer = this.#frameAt(tick)
      this.game.step(this.#state, this.#held.current)
    }
    this.#replayChanges(next, this.#tick)
    this.#listener.changed(this, change.tick, change.seat, change.input)
    this.#afterStep()
  }

  #replayChanges(from: number, tick: number): number {
    let next = from
    for (let change = this.#log[next]; change && change.tick <= tick; change = this.#log[++next]) {
      this.#held.set(change.seat, change.input)
    }
    return next
  }

  #keepFrame(): void {
    if (this.#maxRewindTicks === 0 || this.#tick % this.#maxRewindTicks !== 0) return
    this.#older = this.#newer
    this.#newer = this.#frameAt(this.#tick)
  }

  #frameAt(tick: number): Keyframe {
    return { tick, state: this.game.clone(this.#state), inputs: [...this.#held.current] }
  }

  /** A turn: an input that the rules ignore leaves no trace. */
  #turn(seat: number, input: unknown): void {
    const before = hashState(this.#state)
    this.#held.set(seat, input)
    this.game.step(this.#state, this.#held.current)
    this.#held.settle()
    if (hashState(this.#state) === before) return
    this.#log.push({ tick: this.#tick, seat, input })
    this.#listener.changed(this, this.#tick, seat, input)
    this.#tick++
    this.#afterStep()
  }

  #step(): void {
    this.game.step(this.#state, this.#held.current)
    this.#tick++
    this.#afterStep()
  }

  #afterStep(): void {
    const outcome = this.game.outcome(this.#state)
    this.#listener.stepped(this)
    if (outcome) this.#end({ kind: 'outcome', outcome })
    else if (this.#tick >= MAX_TICKS) this.#end({ kind: 'aborted', reason: 'too-long' })
  }

  #end(end: RunEnd): void {
    if (this.#over) return
    this.#over = true
    this.#listener.ended(this, end)
  }
}
