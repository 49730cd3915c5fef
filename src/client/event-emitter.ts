/** Listeners by the name of an event. A listener that throws does not keep the others from being called. */
export class EventEmitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>()

  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    // A function of its own, so that a listener that was added twice is removed once.
    const entry = (value: Events[Name]) => listener(value)
    listeners.add(entry)
    return () => listeners.delete(entry)
  }

  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    const listeners = (this.#listeners.get(name) ?? []) as Iterable<(value: Events[Name]) => void>
    for (const listener of listeners) callListener(() => listener(value))
  }

  has(name: keyof Events): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0
  }

  clear(): void {
    this.#listeners.clear()
  }
}

/** Calls a listener of the application. Its exception goes to the platform, as an event target's does. */
export function callListener(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    if (typeof reportError === 'function') reportError(error)
    else
      queueMicrotask(() => {
        throw error
      })
  }
}
