import type { Match } from '../types.ts'

const LOOK_MS = 25

/** The countdowns that this process watches over, with one timer for all of them. */
export class Countdowns {
  readonly #matches = new Map<string, Match>()
  readonly #over: (match: Match) => void
  #timer: NodeJS.Timeout | undefined

  /** `over` is called once for each countdown that ends. */
  constructor(over: (match: Match) => void) {
    this.#over = over
  }

  /** Watches the countdown of a match, or another of the same match instead. */
  set(match: Match): void {
    this.#matches.set(match.id, match)
    this.#timer ??= setInterval(() => this.#look(Date.now()), LOOK_MS)
  }

  delete(matchId: string): void {
    this.#matches.delete(matchId)
    if (this.#matches.size === 0) this.stop()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Its end is a moment that leaves the process, so the wall clock counts. */
  #look(now: number): void {
    for (const match of this.#matches.values()) {
      if ((match.startsAt ?? 0) > now) continue
      this.delete(match.id)
      this.#over(match)
    }
  }
}
