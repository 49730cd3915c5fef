import type { Bus } from '../../src/bus/bus.ts'
import { createMemoryBus } from '../../src/bus/memory.ts'
import { defaultLimits } from '../../src/protocol/index.ts'
import { Admission, Connection, Hub } from '../../src/rpc/index.ts'
import type { Message } from './client.ts'

/** A socket on a hub, with all that was sent to it and how much of that counts as unsent. */
export interface Reader {
  readonly connection: Connection
  /** What was sent to it, in order. */
  readonly sent: Message<Record<string, unknown>>[]
  unsent: number
}

/** A hub on a bus of its own, without a dispatcher and a transport. */
export interface HubRig {
  readonly hub: Hub
  /** Opens a socket. */
  open(): Reader
}

const nobody = { user: null, sessionId: null, token: null, ip: '127.0.0.1', userAgent: '', device: null }

export function createHub(bus: Bus = createMemoryBus(fail)): HubRig {
  const hub = new Hub({ bus, limits: defaultLimits })
  const topics = new Map<string, Set<Reader>>()
  hub.attach((topic, frame) => {
    for (const { sent } of topics.get(topic) ?? []) sent.push(JSON.parse(String(frame)))
  })

  const open = (): Reader => {
    class ReaderConnection extends Connection {
      send = (frame: string | Uint8Array) => void reader.sent.push(JSON.parse(String(frame)))
      join = (topic: string) => {
        const joined = topics.get(topic) ?? new Set()
        topics.set(topic, joined.add(reader))
      }
      leave = (topic: string) => void topics.get(topic)?.delete(reader)
      unsentBytes = () => reader.unsent
      close = () => {
        this.closed = true
        hub.leaveAll(this)
      }
    }
    const allowance = new Admission(defaultLimits).allow(nobody)
    const connection = new ReaderConnection({ id: '1', caller: nobody, allowance }, performance.now())
    const reader: Reader = { connection, sent: [], unsent: 0 }
    return reader
  }
  return { hub, open }
}

function fail(error: unknown): never {
  throw error
}
