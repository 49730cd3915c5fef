import { createContext, use, useSyncExternalStore } from 'react'

/** A value that changes, and the listeners that are told. */
export class Store<Value> {
  readonly #listeners = new Set<() => void>()
  #current: Value

  constructor(first: Value) {
    this.#current = first
  }

  get current(): Value {
    return this.#current
  }

  /** Calls back after each change. Returns a function that stops. An arrow function, because React calls it without the store. */
  readonly onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  set(value: Value): void {
    this.#current = value
    for (const listener of this.#listeners) listener()
  }
}

/** The value of a store, as it changes. */
export function useStore<Value>(store: Pick<Store<Value>, 'current' | 'onChange'>): Value {
  return useSyncExternalStore(store.onChange, () => store.current)
}

/** A context that must be there, and the hook that reads it. */
export function requiredContext<Value>(name: string) {
  const Context = createContext<Value | null>(null)
  const useValue = (): Value => {
    const value = use(Context)
    if (value === null) throw new Error(`There is no ${name} around this component`)
    return value
  }
  return [Context, useValue] as const
}
