/**
 * Deadlines that are all equally long, so that they end in the order in which they began: a list and one timer
 * instead of a timer a request.
 */
export class Deadlines<T> {
  readonly #ms: number
  readonly #expire: (item: T) => void
  readonly #started = new Map<T, number>()

  constructor(ms: number, expire: (item: T) => void) {
    this.#ms = ms
    this.#expire = expire
  }

  get size(): number {
    return this.#started.size
  }

  start(item: T, now: number): void {
    this.#started.set(item, now)
  }

  /** False when the deadline had passed already. */
  finish(item: T): boolean {
    return this.#started.delete(item)
  }

  /** Ends what is overdue. Called several times a second. */
  sweep(now: number): void {
    for (const [item, startedAt] of this.#started) {
      if (now - startedAt < this.#ms) return
      this.#started.delete(item)
      this.#expire(item)
    }
  }
}
