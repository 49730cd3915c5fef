import type { Bus } from './bus.ts'
import { Listeners } from './listeners.ts'
import { type ClusterOptions, RedisCluster } from './redis-cluster.ts'
import { encodeEntry } from './redis-frames.ts'

/**
 * The bus over Redis' publish and subscribe. Redis keeps nothing, so that it may be cut off or restarted at any time; what
 * a node publishes to itself goes on meanwhile. Its start fails when Redis cannot be reached within 15 s.
 */
export function createRedisBus(options: Omit<ClusterOptions, 'listeners'>): Bus {
  const { node, log } = options
  const listeners = new Listeners((error, topic) => log.error({ err: error, topic }, 'a listener failed'))
  const cluster = new RedisCluster({ ...options, listeners })

  return {
    node,
    get stats() {
      return cluster.stats
    },
    start: () => cluster.start(),

    publish(topic, message) {
      listeners.deliver(topic, message)
      cluster.publish(topic, () => encodeEntry('published', topic, message))
    },

    subscribe(topic, listener, onLost) {
      const isFirst = !listeners.has(topic)
      const remove = listeners.add(topic, listener, onLost)
      if (isFirst) cluster.change(topic)
      return {
        ready: cluster.ready(topic),
        unsubscribe() {
          if (remove()) cluster.change(topic)
        },
      }
    },

    hasSubscribers: (topic) => listeners.has(topic) || cluster.hasSubscribers(topic),

    send(to, topic, message) {
      if (to === node) listeners.deliverDirect(topic, message, node)
      else cluster.send(to, () => encodeEntry('direct', topic, message))
    },

    receive: (topic, listener) => listeners.addDirect(topic, listener),
    nodes: () => cluster.nodes,
    onGone: (listener) => listeners.addGone(listener),
    ping: (deadlineMs) => cluster.ping(deadlineMs),
    async close() {
      listeners.clear()
      await cluster.close()
    },
  }
}
