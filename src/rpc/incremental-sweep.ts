/**
 * Visits the items of a set again and again, a share of them at each call, so that no call takes long. The set may change
 * between calls: an item that stays in it is visited once a round.
 */
export class IncrementalSweep<T> {
  readonly #all: Iterable<T> & { readonly size: number }
  readonly #calls: number
  #rest: Iterator<T>

  /** A round takes `calls` calls, or one more. `all` must iterate like a Set or a Map: over the items it has by then. */
  constructor(all: Iterable<T> & { readonly size: number }, calls: number) {
    this.#all = all
    this.#calls = calls
    this.#rest = all[Symbol.iterator]()
  }

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
