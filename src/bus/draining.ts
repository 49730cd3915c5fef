import type { Bus } from './bus.ts'

const TOPIC = 'app.draining'

/** Which nodes leave: this one, once it was told to stop, and the others that have said so. */
export interface Draining {
  /** Aborts when this node begins to leave. */
  readonly signal: AbortSignal
  /** This node begins to leave. */
  begin(): void
  /** Whether there is another node that does not leave. */
  hasOtherNode(): boolean
  stop(): void
}

export function createDraining(bus: Bus): Draining {
  const own = new AbortController()
  const others = new Set<string>()
  const subscription = bus.subscribe(TOPIC, ({ payload }) => {
    const node = String(payload)
    if (node !== bus.node && bus.nodes().includes(node)) others.add(node)
  })
  const forget = bus.onGone((node) => others.delete(node))
  return {
    signal: own.signal,
    begin() {
      own.abort()
      bus.publish(TOPIC, { seq: 0, payload: bus.node })
    },
    hasOtherNode: () => bus.nodes().some((node) => !others.has(node)),
    stop() {
      forget()
      subscription.unsubscribe()
    },
  }
}
