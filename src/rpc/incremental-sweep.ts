/**
 * Goes round over a set, a share of it at each call, so that no call takes long however many there are. The set may
 * change meanwhile: what stays in it comes once a round.
 */
export class IncrementalSweep<T> {
  readonly #all: Iterable<T> & { readonly size: number }
  readonly #calls: number
  #rest: Iterator<T>

  /** A round takes `calls` calls, or one more. `all` must iterate as a Set does: over what is in it by then. */
  constructor(all: Iterable<T> & { readonly size: number }, calls: number) {
    this.#all = all
    this.#calls = calls
    this.#rest = all[Symbol.iterator]()
  }

  /** Visits the next share. */
  next(visit: (item: T) => void): void {
    for (let left = Math.ceil(this.#all.size / this.#calls); left > 0; left--) {
      const next = this.#rest.next()
      if (next.done) {
        this.#rest = this.#all[Symbol.iterator]()
        return
      }
      visit(next.value)
    }
  }
}
