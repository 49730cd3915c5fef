import type { AnyGame, Outcome } from '../games/game.ts'
import { hashState } from '../games/hash.ts'
import { HeldInputs, type InputChange, isSameInput } from '../games/simulate.ts'
import { copyState, keyframeTicks, RewindFrames, type RunnerFrame } from './keyframes.ts'

/** How a run ended: by the rules, or by a failure. */
export type RunEnd =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  | { readonly kind: 'aborted'; readonly reason: 'failed' | 'too-long'; readonly error?: unknown }

/** Listens to a runner. The methods are called on the hot path: they must not throw or wait. */
export interface RunnerListener {
  /** The first call, before the first step. */
  started(runner: MatchRunner): void
  /** After a step. Only of runners that are `watched`. */
  stepped(runner: MatchRunner): void
  /** `seat` does `input` from `tick` on, `moved` ticks later than asked; steps that were over were simulated again. */
  changed(runner: MatchRunner, tick: number, seat: number, input: unknown, moved: number): void
  /** `frame` is final. Once a second of the game (see `keyframeTicks`); in a turn-based game after each turn. */
  keyframe(runner: MatchRunner, frame: RunnerFrame): void
  /** The last call. */
  ended(runner: MatchRunner, end: RunEnd): void
}

export interface RunnerSetup extends Pick<MatchRunner, 'matchId' | 'game' | 'seed' | 'options' | 'botSeats'> {
  /** How far back an input may take effect, ticks; 0 turns rewinding off. */
  readonly maxRewindTicks: number
}

interface PlannedInput extends InputChange {
  /** How many ticks later it takes effect than its sender asked for. */
  readonly moved: number
}

/** How far ahead of the clock an input may be planned. */
const MAX_AHEAD_TICKS = 120
/** A longer match is aborted: an hour of a game at 60 ticks a second. */
const MAX_TICKS = 60 * 60 * 60

/**
 * Runs one match: sockets queue inputs, the clock alone advances. `seed`, `options` and `log` decide everything. The
 * inputs of a seat take effect in the order of arrival, one a tick. A change that the listener knows stays. A planned
 * one is replaced by a later input for its tick or before, so that a client with a wrong clock can correct itself.
 */
export class MatchRunner {
  readonly matchId: string
  readonly game: AnyGame
  /** An unsigned 32-bit integer. */
  readonly seed: number
  /** As the game's own schema parsed them. */
  readonly options: unknown
  /** Seats that the game's bot plays. */
  readonly botSeats: readonly number[]
  /** How far back an input may take effect, ticks. Anything older is final. */
  readonly rewindTicks: number
  /** Whether the listener is told of every step. */
  watched = false
  /** The match is paused: it takes no input and makes no step. */
  paused = false
  isOver = false
  readonly #listener: RunnerListener
  readonly #held: HeldInputs<unknown>
  readonly #log: InputChange[] = []
  /** Inputs that are not due yet, in the order of ticks; at most one a seat and tick. */
  #planned: PlannedInput[] = []
  /** The tick of the last change of each seat that the listener has heard of; -1 before the first. */
  readonly #lastTold: number[]
  /** How often a frame is kept, ticks. A late input is simulated from the newest frame that is old enough. */
  readonly #keepEvery: number
  readonly #kept: RewindFrames
  #keepAt: number
  readonly #keyframeEvery: number
  #nextKeyframe: number
  #state: unknown
  #tick = 0

  constructor(setup: RunnerSetup, listener: RunnerListener) {
    const { game, seed, options } = setup
    this.matchId = setup.matchId
    this.game = game
    this.seed = seed
    this.options = options
    this.botSeats = setup.botSeats
    this.rewindTicks = game.tickRate === 0 ? 0 : setup.maxRewindTicks
    this.#listener = listener
    this.#held = new HeldInputs(game)
    this.#lastTold = Array.from({ length: game.seats }, () => -1)
    this.#state = game.init({ seed, options })
    this.#kept = new RewindFrames(game, this.#state, this.#held.current)
    this.#keepEvery = this.rewindTicks > 0 ? this.rewindTicks : keyframeTicks(game.tickRate)
    this.#keepAt = this.#keepEvery
    this.#keyframeEvery = keyframeTicks(game.tickRate)
    this.#nextKeyframe = this.#keyframeEvery
  }

  get tick(): number {
    return this.#tick
  }

  /** The runner's own state at `tick`. Only read it, and only until the next step. */
  get state(): unknown {
    return this.#state
  }

  /** What each seat does in the next step. Only read it. */
  get inputs(): readonly unknown[] {
    return this.#held.current
  }

  /** Every change of an input so far, in the order of ticks; at most one a seat and tick. */
  get log(): readonly InputChange[] {
    return this.#log
  }

  /** The newest kept state that no input can change any more. */
  get finalFrame(): RunnerFrame {
    return this.rewindTicks > 0 && !this.isOver ? this.#kept.older : this
  }

  /**
   * Lets `seat` do `input` from `atTick` on, but after its last change that the listener has heard of. A future one is
   * planned; a past one counts if at most `rewindTicks` ago, else from now. `input` is kept, as the schema gives it.
   */
  input(seat: number, input: unknown, atTick = this.#tick): void {
    if (this.isOver || this.paused) return
    try {
      if (this.game.tickRate === 0) this.#turn(seat, input)
      else this.#schedule(seat, input, atTick)
    } catch (error) {
      this.#end({ kind: 'aborted', reason: 'failed', error })
    }
  }

  /** Makes a seat idle and drops its planned inputs, because its player is gone. */
  release(seat: number): void {
    if (this.game.tickRate !== 0) this.input(seat, this.game.idle)
  }

  /** Makes one step. In a turn-based game the bots play instead, if it is their turn. */
  advance(): void {
    if (this.isOver || this.paused) return
    try {
      if (this.game.tickRate === 0) this.#takeBotTurns()
      else this.#step()
    } catch (error) {
      this.#end({ kind: 'aborted', reason: 'failed', error })
    }
  }

  /** Ends the run. The listener does not hear of it. */
  stop(): void {
    this.isOver = true
  }

  #step(): void {
    for (let due = this.#planned[0]; due && due.tick <= this.#tick; due = this.#planned[0]) {
      this.#planned.shift()
      this.#change(due)
    }
    for (const seat of this.botSeats) {
      this.#change({ tick: this.#tick, seat, input: this.game.bot(this.#state, seat), moved: 0 })
    }
    if (this.#tick >= this.#keepAt) this.#keepFrame()
    this.game.step(this.#state, this.#held.current)
    this.#tick++
    this.#afterStep()
  }

  #takeBotTurns(): void {
    for (const seat of this.botSeats) {
      if (this.isOver || this.paused) return
      const input = this.game.bot(this.#state, seat)
      if (!isSameInput(input, this.game.idle)) this.#turn(seat, input)
    }
  }

  #schedule(seat: number, input: unknown, atTick: number): void {
    const isTooLate = this.#tick - atTick > this.rewindTicks
    const wanted = isTooLate ? this.#tick : Math.min(atTick, this.#tick + MAX_AHEAD_TICKS)
    const tick = Math.max(wanted, (this.#lastTold[seat] ?? -1) + 1)
    const change = { tick, seat, input, moved: Math.max(0, tick - atTick) }
    this.#planned = this.#planned.filter((planned) => planned.seat !== seat || planned.tick < tick)
    if (tick > this.#tick) insert(this.#planned, change)
    else if (tick === this.#tick) this.#change(change)
    else this.#rewind(change)
  }

  /** Sets what a seat does in the next step. */
  #change(change: PlannedInput): void {
    if (!this.#held.set(change.seat, change.input)) return
    this.#write(change)
    this.#tell(change)
  }

  #write({ tick, seat, input }: InputChange): void {
    insert(this.#log, { tick, seat, input })
  }

  #tell({ tick, seat, input, moved }: PlannedInput): void {
    this.#lastTold[seat] = tick
    this.#listener.changed(this, tick, seat, input, moved)
  }

  /** Simulates a late input as if it had come in time: steps the game again from an earlier frame. */
  #rewind(change: PlannedInput): void {
    // The seat has no later change, so it holds now what it held then.
    if (isSameInput(this.#held.current[change.seat], change.input)) return
    const { newer, older } = this.#kept
    const frame = newer.tick <= change.tick ? newer : older
    this.#write(change)

    this.#state = copyState(this.game, this.#state, frame.state)
    for (const [seat, input] of frame.inputs.entries()) this.#held.set(seat, input)
    let next = this.#log.findLastIndex(({ tick }) => tick < frame.tick) + 1
    for (let tick = frame.tick; tick < this.#tick; tick++) {
      next = this.#held.setFrom(this.#log, next, tick)
      if (tick === newer.tick && newer !== frame) this.#kept.replaceNewer(tick, this.#state, this.#held.current)
      this.game.step(this.#state, this.#held.current)
    }
    this.#held.setFrom(this.#log, next, this.#tick)
    this.#tell(change)
    this.#checkOutcome()
  }

  /** Keeps a frame. The one before the last cannot be reached by a late input any more: it may be a keyframe. */
  #keepFrame(): void {
    this.#keepAt = this.#tick + this.#keepEvery
    if (this.rewindTicks > 0) this.#kept.keep(this.#tick, this.#state, this.#held.current)
    const frame = this.finalFrame
    if (frame.tick < this.#nextKeyframe) return
    this.#nextKeyframe = frame.tick - (frame.tick % this.#keyframeEvery) + this.#keyframeEvery
    this.#listener.keyframe(this, frame)
  }

  /** Makes a turn. An input that the rules ignore is not logged. */
  #turn(seat: number, input: unknown): void {
    const before = hashState(this.#state)
    this.#held.set(seat, input)
    this.game.step(this.#state, this.#held.current)
    this.#held.settle()
    if (hashState(this.#state) === before) return
    const tick = this.#tick++
    this.#log.push({ tick, seat, input })
    this.#listener.changed(this, tick, seat, input, 0)
    this.#listener.keyframe(this, this.finalFrame)
    this.#afterStep()
  }

  #afterStep(): void {
    if (this.watched) this.#listener.stepped(this)
    this.#checkOutcome()
  }

  #checkOutcome(): void {
    const outcome = this.game.outcome(this.#state)
    if (outcome) this.#end({ kind: 'outcome', outcome })
    else if (this.#tick >= MAX_TICKS) this.#end({ kind: 'aborted', reason: 'too-long' })
  }

  #end(end: RunEnd): void {
    if (this.isOver) return
    this.isOver = true
    this.#listener.ended(this, end)
  }
}

/** Inserts a change after those of its tick and earlier ones. `changes` is in the order of ticks. */
function insert<Change extends InputChange>(changes: Change[], change: Change): void {
  changes.splice(changes.findLastIndex(({ tick }) => tick <= change.tick) + 1, 0, change)
}
