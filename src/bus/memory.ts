import { randomUUID } from 'node:crypto'
import type { Bus, BusMessage } from './bus.ts'
import { Listeners, type OnListenerError } from './listeners.ts'

interface Member {
  readonly node: string
  readonly listeners: Listeners
}

/** The memory buses that reach each other, by node. */
export type MemoryCluster = Map<string, Member>

export interface MemoryBusOptions {
  readonly node?: string
  /** Buses that are given the same map form one cluster. A bus is alone without it. */
  readonly cluster?: MemoryCluster | undefined
}

/**
 * The bus within one process: for a single server, or for several servers in a test. What another node publishes arrives
 * in a later microtask.
 */
export function createMemoryBus(
  onListenerError: OnListenerError,
  { node = randomUUID(), cluster = new Map() }: MemoryBusOptions = {},
): Bus {
  const listeners = new Listeners(onListenerError)
  const self: Member = { node, listeners }
  const ready = Promise.resolve()
  cluster.set(node, self)

  return {
    node,
    dropped: 0,
    start: () => ready,

    publish(topic, message) {
      listeners.deliver(topic, message)
      if (cluster.size === 1) return
      const copy = copyOf(message)
      for (const other of cluster.values()) {
        if (other !== self) queueMicrotask(() => other.listeners.deliver(topic, copy))
      }
    },

    subscribe(topic, listener, onLost) {
      return { ready, unsubscribe: listeners.add(topic, listener, onLost) }
    },

    hasSubscribers(topic) {
      for (const member of cluster.values()) if (member.listeners.has(topic)) return true
      return false
    },

    send(to, topic, message) {
      if (to === node) listeners.deliverDirect(topic, message, node)
      else {
        const copy = copyOf(message)
        queueMicrotask(() => cluster.get(to)?.listeners.deliverDirect(topic, copy, node))
      }
    },

    receive: (topic, listener) => listeners.addDirect(topic, listener),
    nodes: () => [...cluster.keys()].filter((each) => each !== node),
    onGone: (listener) => listeners.addGone(listener),
    ping: () => ready,

    async close() {
      listeners.clear()
      if (!cluster.delete(node)) return
      for (const other of cluster.values()) queueMicrotask(() => other.listeners.gone(node))
    },
  }
}

/** The publisher may reuse its bytes after `publish`. */
function copyOf({ seq, payload }: BusMessage): BusMessage {
  return { seq, payload: typeof payload === 'string' ? payload : payload.slice() }
}
