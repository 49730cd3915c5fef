import type { Bus, BusMessage, BusSubscription } from './bus.ts'

type Listener = (message: BusMessage) => void

/** The bus of a single process: a message reaches its listeners before `publish` returns. */
export function createMemoryBus(onListenerError: (error: unknown, topic: string) => void): Bus {
  const topics = new Map<string, Set<Listener>>()
  const ready = Promise.resolve()

  return {
    publish(topic, message) {
      const listeners = topics.get(topic)
      if (!listeners) return
      for (const listener of listeners) {
        try {
          listener(message)
        } catch (error) {
          onListenerError(error, topic)
        }
      }
    },

    subscribe(topic, listener): BusSubscription {
      // One function may listen twice; each subscription is its own.
      const own: Listener = (message) => listener(message)
      const listeners = topics.get(topic) ?? new Set()
      topics.set(topic, listeners.add(own))
      return {
        ready,
        unsubscribe() {
          listeners.delete(own)
          if (listeners.size === 0 && topics.get(topic) === listeners) topics.delete(topic)
        },
      }
    },

    hasSubscribers: (topic) => topics.has(topic),
    ping: () => ready,
    async close() {
      topics.clear()
    },
  }
}
