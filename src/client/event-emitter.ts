import { report } from './errors.ts'

/** Listeners by the name of an event. One that throws does not keep the others from being called. */
export class Emitter<Events extends object> {
  readonly #listeners = new Map<keyof Events, Set<(value: never) => void>>()

  /** Gives a function that removes the listener. */
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners)
    // A function of its own, so that one listener added twice is removed once.
    const entry = (value: Events[Name]) => listener(value)
    listeners.add(entry)
    return () => listeners.delete(entry)
  }

  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void {
    for (const listener of (this.#listeners.get(name) ?? []) as Set<(value: Events[Name]) => void>) {
      try {
        listener(value)
      } catch (error) {
        report(error)
      }
    }
  }

  clear(): void {
    this.#listeners.clear()
  }
}
