import { randomUUID } from 'node:crypto'
import type { Bus, BusMessage } from './bus.ts'
import { Listeners, type OnListenerError } from './listeners.ts'

/** The listeners of the memory buses that reach each other, by node. */
export type MemoryCluster = Map<string, Listeners>

/**
 * The bus within one process: for a single server, or for several servers in a test. What another node publishes arrives
 * in a later microtask. Buses that are given the same `cluster` reach each other.
 */
export function createMemoryBus(
  onListenerError: OnListenerError,
  { node = randomUUID(), cluster = new Map() }: { node?: string; cluster?: MemoryCluster | undefined } = {},
): Bus {
  const listeners = new Listeners(onListenerError)
  const ready = Promise.resolve()
  cluster.set(node, listeners)

  return {
    node,
    stats: { isConnected: true, cuts: 0, gaps: 0, dropped: 0 },
    start: () => ready,

    publish(topic, message) {
      listeners.deliver(topic, message)
      if (cluster.size === 1) return
      const copy = copyOf(message)
      for (const other of cluster.values()) {
        if (other !== listeners) queueMicrotask(() => other.deliver(topic, copy))
      }
    },

    subscribe(topic, listener, onLost) {
      return { ready, unsubscribe: listeners.add(topic, listener, onLost) }
    },

    hasSubscribers(topic) {
      for (const member of cluster.values()) if (member.has(topic)) return true
      return false
    },

    send(to, topic, message) {
      if (to === node) listeners.deliverDirect(topic, message, node)
      else {
        const copy = copyOf(message)
        queueMicrotask(() => cluster.get(to)?.deliverDirect(topic, copy, node))
      }
    },

    receive: (topic, listener) => listeners.addDirect(topic, listener),
    nodes: () => [...cluster.keys()].filter((each) => each !== node),
    onGone: (listener) => listeners.addGone(listener),
    ping: () => ready,

    async close() {
      listeners.clear()
      if (!cluster.delete(node)) return
      for (const other of cluster.values()) queueMicrotask(() => other.gone(node))
    },
  }
}

/** The publisher may reuse its bytes after `publish`. */
function copyOf({ seq, payload }: BusMessage): BusMessage {
  return { seq, payload: typeof payload === 'string' ? payload : payload.slice() }
}
