import { keyframeTicks, type MatchRunner, type RunnerFrame, type Ticking } from '../../engine/index.ts'
import { HeldInputs } from '../../games/simulate.ts'
import type { LiveEndStatus } from '../../protocol/live-frames.ts'
import type { FramePublisher } from './frame-publisher.ts'

/** How often a view of a turn-based game checks whether a turn is old enough. */
const LOOKS_PER_SECOND = 10
/** The most steps at a time, for a view that is behind: it goes at twice the pace of the match. */
const MAX_STEPS = 2

interface DelayedViewOptions {
  readonly runner: MatchRunner
  readonly publisher: FramePublisher
  readonly delayMs: number
  /** Called once, when the end of the match has been shown. */
  readonly onDone: () => void
  readonly onError: (error: unknown) => void
}

/** A match as delayed spectators see it: stepped again from the runner's log, when no late input can change it. */
export class DelayedView implements Ticking {
  readonly delayMs: number
  status: 'waiting' | 'live' = 'waiting'
  readonly #options: DelayedViewOptions
  readonly #runner: MatchRunner
  readonly #delayTicks: number
  readonly #held: HeldInputs<unknown>
  readonly #state: unknown
  /** When each turn was made that is not shown yet, oldest first. A tick of a turn-based match is a turn. */
  readonly #turns: number[] = []
  readonly #startedAt = performance.now()
  #tick = 0
  #matchTick = 0
  /** The first change in the log that is not applied yet. */
  #next = 0
  #end: { readonly status: LiveEndStatus; readonly at: number } | null = null
  #isDone = false

  constructor(options: DelayedViewOptions) {
    const { runner, delayMs } = options
    const { game, seed } = runner
    this.#options = options
    this.#runner = runner
    this.delayMs = delayMs
    this.#delayTicks = Math.max(Math.ceil((delayMs * game.tickRate) / 1000), runner.rewindTicks + 1)
    this.#held = new HeldInputs(game)
    this.#state = game.init({ seed, options: runner.options })
  }

  /** Calls of `advance` a second. */
  get pace(): number {
    return this.#runner.game.tickRate || LOOKS_PER_SECOND
  }

  /** The match as followers of this view see it. */
  get frame(): RunnerFrame {
    return { tick: this.#tick, state: this.#state, inputs: this.#held.current }
  }

  /** To be called for each change: in a turn-based game it is a turn. */
  noteTurn(now = performance.now()): void {
    if (this.#runner.game.tickRate === 0) this.#turns.push(now)
  }

  /** The match is over, and that is committed. It is shown when it is old enough. */
  end(status: LiveEndStatus, now = performance.now()): void {
    this.#end ??= { status, at: now }
  }

  advance(now = performance.now()): void {
    if (this.#isDone) return
    try {
      this.#catchUp(now)
    } catch (error) {
      this.#finish(() => this.#options.publisher.close('failed'))
      this.#options.onError(error)
    }
  }

  #catchUp(now: number): void {
    const { tick, isOver } = this.#runner
    // When the match has stopped, its ticks are counted here.
    this.#matchTick = isOver ? this.#matchTick + 1 : tick
    if (this.status === 'waiting') {
      if (!this.#isOldEnough(0, this.#startedAt, now)) return
      this.status = 'live'
      this.#options.publisher.start(this.frame, this.#runner.game.tickRate)
    }
    for (let steps = 0; steps < MAX_STEPS && this.#isStepDue(now); steps++) this.#step()
    const end = this.#end
    if (end && this.#tick === tick && this.#isOldEnough(tick, end.at, now)) {
      this.#finish(() => this.#options.publisher.end(this.frame, end.status, this.#runner.game.tickRate))
    }
  }

  #isStepDue(now: number): boolean {
    return this.#tick < this.#runner.tick && this.#isOldEnough(this.#tick + 1, this.#turns[0] ?? now, now)
  }

  /** Whether a tick may be shown: by the count of ticks or, in a game without a clock, by the time `at` which it came. */
  #isOldEnough(tick: number, at: number, now: number): boolean {
    if (this.#runner.game.tickRate === 0) return now - at >= this.delayMs
    return this.#matchTick - tick >= this.#delayTicks
  }

  #step(): void {
    const { game, log } = this.#runner
    const { publisher } = this.#options
    for (let change = log[this.#next]; change && change.tick <= this.#tick; change = log[++this.#next]) {
      this.#held.set(change.seat, change.input)
      publisher.change(game, change.tick, change.seat, change.input)
    }
    game.step(this.#state, this.#held.current)
    this.#held.settle()
    this.#turns.shift()
    this.#tick++
    if (game.tickRate === 0 || this.#tick % keyframeTicks(game.tickRate) === 0) publisher.keyframe(this.frame)
    publisher.step(this.frame, game.tickRate)
  }

  #finish(last: () => void): void {
    this.#isDone = true
    last()
    this.#options.onDone()
  }
}
