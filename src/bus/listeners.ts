import type { BusListener, BusMessage, DirectListener } from './bus.ts'

export type OnListenerError = (error: unknown, topic: string) => void

interface Subscriber {
  readonly listener: BusListener
  readonly onLost: (() => void) | undefined
}

/** The listeners of one node, by topic. */
export class Listeners {
  readonly #topics = new Map<string, Set<Subscriber>>()
  readonly #direct = new Map<string, Set<{ readonly listener: DirectListener }>>()
  readonly #gone = new Set<{ readonly listener: (node: string) => void }>()
  readonly #onError: OnListenerError

  constructor(onError: OnListenerError) {
    this.#onError = onError
  }

  has(topic: string): boolean {
    return this.#topics.has(topic)
  }

  /** Returns the end of it, which says whether it was the last one of its topic. */
  add(topic: string, listener: BusListener, onLost?: () => void): () => boolean {
    return addTo(this.#topics, topic, { listener, onLost })
  }

  addDirect(topic: string, listener: DirectListener): () => void {
    return addTo(this.#direct, topic, { listener })
  }

  addGone(listener: (node: string) => void): () => void {
    const own = { listener }
    this.#gone.add(own)
    return () => void this.#gone.delete(own)
  }

  deliver(topic: string, message: BusMessage): void {
    for (const { listener } of this.#topics.get(topic) ?? []) this.#guard(topic, () => listener(message))
  }

  deliverDirect(topic: string, message: BusMessage, from: string): void {
    for (const { listener } of this.#direct.get(topic) ?? []) this.#guard(topic, () => listener(message, from))
  }

  /** Tells every subscriber that messages may have been missed. */
  lost(): void {
    for (const [topic, subscribers] of [...this.#topics]) {
      for (const { onLost } of [...subscribers]) if (onLost) this.#guard(topic, onLost)
    }
  }

  gone(node: string): void {
    for (const { listener } of this.#gone) this.#guard('a node is gone', () => listener(node))
  }

  clear(): void {
    this.#topics.clear()
    this.#direct.clear()
    this.#gone.clear()
  }

  #guard(topic: string, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#onError(error, topic)
    }
  }
}

function addTo<T>(all: Map<string, Set<T>>, topic: string, one: T): () => boolean {
  const members = all.get(topic) ?? new Set<T>()
  all.set(topic, members.add(one))
  return () => {
    const isLast = members.delete(one) && members.size === 0 && all.get(topic) === members
    if (isLast) all.delete(topic)
    return isLast
  }
}
