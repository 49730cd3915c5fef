import type { Bus, BusMessage } from '../../src/bus/bus.ts'

/** Faults of a bus, or of all the buses of a cluster. Listeners of the publishing node are always called. */
export class BusFaults {
  /** Which messages between nodes are dropped. */
  drops: (topic: string, message: BusMessage) => boolean = () => false
  /** New subscriptions are not ready before this, and fail with it. */
  ready: Promise<void> = Promise.resolve()
  readonly #onLost = new Set<() => void>()

  /** Tells all subscribers that messages may have been missed. */
  lose(): void {
    for (const lost of [...this.#onLost]) lost()
  }

  /** The bus with these faults. */
  over(bus: Bus): Bus {
    let publishing = 0
    return {
      ...bus,
      publish: (topic, message) => {
        publishing++
        bus.publish(topic, message)
        publishing--
      },
      subscribe: (topic, listener, onLost) => {
        const own = bus.subscribe(topic, (message) => {
          if (publishing > 0 || !this.drops(topic, message)) listener(message)
        })
        const lost = () => onLost?.()
        this.#onLost.add(lost)
        const ready = Promise.all([own.ready, this.ready]).then(() => undefined)
        ready.catch(() => undefined)
        const unsubscribe = () => {
          this.#onLost.delete(lost)
          own.unsubscribe()
        }
        return { ready, unsubscribe }
      },
      receive: (topic, listener) =>
        bus.receive(topic, (message, from) => {
          if (from === bus.node || !this.drops(topic, message)) listener(message, from)
        }),
    }
  }
}
