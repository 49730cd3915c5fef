import type { AnyGame } from '../games/game.ts'
import { Clock } from './clock.ts'
import { MatchRunner, type RunnerListener, type RunnerSetup } from './match-runner.ts'

/** How often the bots of a turn-based game look at the board: they answer about as fast as a person. */
const BOT_TURNS_PER_SECOND = 2

/** The most ticks that a late input makes a match step again, whatever its tick rate. */
const MAX_REWIND_TICKS = 60

export interface EngineOptions {
  /** How far back an input may take effect, ms; 0 turns rewinding off. */
  readonly maxRewindMs: number
  /** Called when a listener fails: that must not stop other matches. */
  readonly onError: (error: unknown, matchId: string) => void
}

/** The matches that run in this process. Listeners are called in the order in which they were added. */
export class Engine {
  readonly clock = new Clock()
  readonly #options: EngineOptions
  readonly #runners = new Map<string, MatchRunner>()
  readonly #listeners: Partial<RunnerListener>[] = []
  readonly #toAll: RunnerListener = {
    started: (runner) => this.#tell(runner, (listener) => listener.started?.(runner)),
    stepped: (runner) => this.#tell(runner, (listener) => listener.stepped?.(runner)),
    changed: (runner, tick, seat, input, moved) =>
      this.#tell(runner, (listener) => listener.changed?.(runner, tick, seat, input, moved)),
    keyframe: (runner, frame) => this.#tell(runner, (listener) => listener.keyframe?.(runner, frame)),
    ended: (runner, end) => {
      this.clock.delete(runner)
      this.#tell(runner, (listener) => listener.ended?.(runner, end))
    },
  }

  constructor(options: EngineOptions) {
    this.#options = options
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
    const { matchId, game, botSeats } = setup
    const runner = new MatchRunner({ ...setup, maxRewindTicks: this.rewindTicksOf(game) }, this.#toAll)
    this.#runners.set(matchId, runner)
    this.#toAll.started(runner)
    if (game.tickRate > 0) this.clock.add(runner, game.tickRate)
    else if (botSeats.length > 0) this.clock.add(runner, BOT_TURNS_PER_SECOND)
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
    const runner = this.#runners.get(matchId)
    if (!runner) return
    runner.stop()
    this.clock.delete(runner)
  }

  remove(matchId: string): void {
    this.halt(matchId)
    this.#runners.delete(matchId)
  }

  stop(): void {
    this.clock.stop()
    for (const matchId of [...this.#runners.keys()]) this.remove(matchId)
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
}
