import type { Bus } from './bus.ts'

const TOPIC = 'app.draining'
const LISTENS = 'listens'
const LEAVES = 'leaves'

/** How often a node tells the others whether it listens or leaves: some may have started, or missed it. */
export const TELL_MS = 1_000

/** Which nodes take sockets, and which leave: this one, once it was told to stop, and the others by what they say. */
export interface Draining {
  /** Aborts when this node begins to leave. */
  readonly signal: AbortSignal
  /** This node takes sockets from now on. */
  markListening(): void
  /** This node begins to leave. */
  begin(): void
  /** Tells the other nodes whether this one listens or leaves. Called every `TELL_MS`. */
  tell(): void
  /** Whether there is another node that takes sockets and does not leave. */
  hasOtherNode(): boolean
  stop(): void
}

export function createDraining(bus: Bus): Draining {
  const own = new AbortController()
  const listening = new Set<string>()
  let isListening = false
  const tell = () => {
    const state = own.signal.aborted ? LEAVES : LISTENS
    if (isListening || own.signal.aborted) bus.publish(TOPIC, { seq: 0, payload: `${state} ${bus.node}` })
  }
  const subscription = bus.subscribe(TOPIC, ({ payload }) => {
    const [state, node = ''] = String(payload).split(' ')
    if (node === bus.node || !bus.nodes().includes(node)) return
    if (state !== LISTENS) listening.delete(node)
    else if (!listening.has(node)) {
      listening.add(node)
      // It may be new, and not know of this one.
      tell()
    }
  })
  const forget = bus.onGone((node) => listening.delete(node))
  return {
    signal: own.signal,
    markListening() {
      isListening = true
      tell()
    },
    begin() {
      own.abort()
      tell()
    },
    tell,
    hasOtherNode: () => listening.size > 0,
    stop() {
      forget()
      subscription.unsubscribe()
    },
  }
}
