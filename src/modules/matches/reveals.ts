/** The ends that spectators see later, until they do: one timer for each match. */
export class Reveals {
  readonly #reveal: (matchId: string) => void
  readonly #timers = new Map<string, NodeJS.Timeout>()

  /** `reveal` is called once for each match, when its end may be seen by all. */
  constructor(reveal: (matchId: string) => void) {
    this.#reveal = reveal
  }

  /** Does nothing for a match that is waited for already. */
  add(matchId: string, inMs: number): void {
    if (this.#timers.has(matchId)) return
    // A timer may come a moment before the clock says so.
    const timer = setTimeout(() => this.#end(matchId), Math.max(0, inMs) + 1)
    this.#timers.set(matchId, timer.unref())
  }

  /** Reveals all at once: those who follow them ask again, and another process goes on waiting. */
  stop(): void {
    for (const matchId of [...this.#timers.keys()]) this.#end(matchId)
  }

  #end(matchId: string): void {
    clearTimeout(this.#timers.get(matchId))
    if (this.#timers.delete(matchId)) this.#reveal(matchId)
  }
}
