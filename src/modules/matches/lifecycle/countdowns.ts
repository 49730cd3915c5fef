const LOOK_MS = 25

/** The countdowns that this process watches over, with one timer for all of them. */
export class Countdowns {
  readonly #startsAt = new Map<string, number>()
  readonly #over: (matchId: string) => void
  #timer: NodeJS.Timeout | undefined

  /** `over` is called once for each countdown that ends. */
  constructor(over: (matchId: string) => void) {
    this.#over = over
  }

  set(matchId: string, startsAt: number): void {
    this.#startsAt.set(matchId, startsAt)
    this.#timer ??= setInterval(() => this.#look(Date.now()), LOOK_MS)
  }

  delete(matchId: string): void {
    this.#startsAt.delete(matchId)
    if (this.#startsAt.size === 0) this.stop()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(now: number): void {
    for (const [matchId, startsAt] of this.#startsAt) {
      if (startsAt > now) continue
      this.delete(matchId)
      this.#over(matchId)
    }
  }
}
