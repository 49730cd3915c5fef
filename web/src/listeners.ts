/** Who wants to know of changes, in the form that React's stores have. */
export class Listeners {
  readonly #listeners = new Set<() => void>()

  // Bound, because React is handed it by itself.
  readonly add = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
