import type { Config } from '../../config.ts'

/** The longest time that a match may count down. */
export function longestCountdownMs({ matches, tournaments }: Config): number {
  return Math.max(matches.countdownMs, tournaments.countdownMs)
}

/** One timer a match: its countdown (`matches.countdownMs` in `src/config.ts`), or when spectators may see its end. */
export class MatchTimers {
  readonly #onTime: (matchId: string, at: number) => void
  readonly #timers = new Map<string, { readonly at: number; readonly timer: NodeJS.Timeout }>()

  constructor(onTime: (matchId: string, at: number) => void) {
    this.#onTime = onTime
  }

  get matchIds(): string[] {
    return [...this.#timers.keys()]
  }

  /** The matches, with their times in ms since the epoch. */
  get times(): [matchId: string, at: number][] {
    return [...this.#timers].map(([matchId, { at }]) => [matchId, at])
  }

  /** Starts the timer of a match, in place of one that runs. `at` is in ms since the epoch. A wrong clock delays it up to `maxMs`. */
  set(matchId: string, at: number, maxMs: number): void {
    this.delete(matchId)
    // A timer may fire slightly before the wall clock reaches its time.
    const inMs = Math.min(maxMs, Math.max(0, at - Date.now())) + 1
    const timer = setTimeout(() => {
      this.#timers.delete(matchId)
      this.#onTime(matchId, at)
    }, inMs)
    this.#timers.set(matchId, { at, timer: timer.unref() })
  }

  delete(matchId: string): void {
    clearTimeout(this.#timers.get(matchId)?.timer)
    this.#timers.delete(matchId)
  }

  stop(): void {
    for (const matchId of this.matchIds) this.delete(matchId)
  }
}
