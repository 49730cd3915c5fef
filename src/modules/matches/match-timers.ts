/** One timer a match: its countdown (`matches.countdownMs` in `src/config.ts`), or when spectators may see its end. */
export class MatchTimers {
  readonly #onTime: (matchId: string) => void
  readonly #timers = new Map<string, NodeJS.Timeout>()

  constructor(onTime: (matchId: string) => void) {
    this.#onTime = onTime
  }

  get matchIds(): string[] {
    return [...this.#timers.keys()]
  }

  /** Starts the timer of a match, in place of one that runs. `at` is in ms since the epoch. */
  set(matchId: string, at: number): void {
    this.delete(matchId)
    // A timer may fire slightly before the wall clock reaches its time.
    const inMs = Math.max(0, at - Date.now()) + 1
    const timer = setTimeout(() => {
      this.#timers.delete(matchId)
      this.#onTime(matchId)
    }, inMs)
    this.#timers.set(matchId, timer.unref())
  }

  delete(matchId: string): void {
    clearTimeout(this.#timers.get(matchId))
    this.#timers.delete(matchId)
  }

  stop(): void {
    for (const matchId of this.matchIds) this.delete(matchId)
  }
}
