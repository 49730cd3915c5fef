import type { AnyGame } from '../games/game.ts'
import { Clock, type Ticking } from './clock.ts'
import type { RunnerFrame } from './keyframes.ts'
import { MatchRunner, type RunEnd, type RunnerListener, type RunnerSetup } from './match-runner.ts'

/** How often the bots of a turn-based game look at the board: they answer about as fast as a person. */
const BOT_TURNS_PER_SECOND = 2

/** The most ticks that a late input makes a match step again, whatever its tick rate. */
const MAX_REWIND_TICKS = 60

export interface EngineOptions {
  /** How far back an input may take effect, ms; 0 turns rewinding off. */
  readonly maxRewindMs: number
  readonly clock?: Clock
  /** Called when a listener fails: that must not stop other matches. */
  readonly onError: (error: unknown, matchId: string) => void
}

/** The matches that run in this process. Listeners are called in the order in which they were added. */
export class Engine implements RunnerListener {
  readonly clock: Clock
  readonly #options: EngineOptions
  readonly #runners = new Map<string, MatchRunner>()
  readonly #ticking = new Map<string, Ticking>()
  readonly #listeners: Partial<RunnerListener>[] = []

  constructor(options: EngineOptions) {
    this.#options = options
    this.clock = options.clock ?? new Clock()
  }

  get size(): number {
    return this.#runners.size
  }

  listen(listener: Partial<RunnerListener>): void {
    this.#listeners.push(listener)
  }

  /** Starts a match at once. Answers the existing runner if the match runs already. */
  start(setup: Omit<RunnerSetup, 'maxRewindTicks'>): MatchRunner {
    const known = this.#runners.get(setup.matchId)
    if (known) return known
    const { tickRate } = setup.game
    const runner = new MatchRunner({ ...setup, maxRewindTicks: this.rewindTicksOf(setup.game) }, this)
    this.#runners.set(setup.matchId, runner)
    this.started(runner)
    if (tickRate > 0) this.#tick(runner, runner, tickRate)
    else if (setup.botSeats.length > 0)
      this.#tick(runner, { advance: () => runner.takeBotTurn() }, BOT_TURNS_PER_SECOND)
    return runner
  }

  /** How far back an input may take effect in this game, ticks. */
  rewindTicksOf({ tickRate }: Pick<AnyGame, 'tickRate'>): number {
    return Math.min(MAX_REWIND_TICKS, Math.ceil((this.#options.maxRewindMs * tickRate) / 1000))
  }

  get(matchId: string): MatchRunner | undefined {
    return this.#runners.get(matchId)
  }

  /** Halts a match where it is. Its runner can be read until the match is removed. */
  halt(matchId: string): void {
    this.#runners.get(matchId)?.stop()
    this.#untick(matchId)
  }

  /** Forgets a match. */
  remove(matchId: string): void {
    this.halt(matchId)
    this.#runners.delete(matchId)
  }

  stop(): void {
    this.clock.stop()
    for (const matchId of [...this.#runners.keys()]) this.remove(matchId)
  }

  started(runner: MatchRunner): void {
    this.#tell(runner, (listener) => listener.started?.(runner))
  }

  stepped(runner: MatchRunner): void {
    this.#tell(runner, (listener) => listener.stepped?.(runner))
  }

  changed(runner: MatchRunner, tick: number, seat: number, input: unknown, moved: number): void {
    this.#tell(runner, (listener) => listener.changed?.(runner, tick, seat, input, moved))
  }

  keyframe(runner: MatchRunner, frame: RunnerFrame): void {
    this.#tell(runner, (listener) => listener.keyframe?.(runner, frame))
  }

  ended(runner: MatchRunner, end: RunEnd): void {
    this.#untick(runner.matchId)
    this.#tell(runner, (listener) => listener.ended?.(runner, end))
  }

  #tell({ matchId }: MatchRunner, tell: (listener: Partial<RunnerListener>) => void): void {
    for (const listener of this.#listeners) {
      try {
        tell(listener)
      } catch (error) {
        this.#options.onError(error, matchId)
      }
    }
  }

  #tick(runner: MatchRunner, ticking: Ticking, tickRate: number): void {
    this.#ticking.set(runner.matchId, ticking)
    this.clock.add(ticking, tickRate)
  }

  #untick(matchId: string): void {
    const ticking = this.#ticking.get(matchId)
    if (!ticking) return
    this.clock.delete(ticking)
    this.#ticking.delete(matchId)
  }
}
