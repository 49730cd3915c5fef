import { createMemoryBus } from '../../src/bus/memory.ts'
import { defaultLimits } from '../../src/protocol/index.ts'
import { Admission, Connection, Hub } from '../../src/rpc/index.ts'

/** A hub on a bus of its own, without a dispatcher. */
export function createHub(): Hub {
  const bus = createMemoryBus((error) => {
    throw error
  })
  return new Hub({ bus, latestUnsentBytes: defaultLimits.latestUnsentBytes })
}

/** A socket on a hub, with all that was sent to it and how much of that counts as unsent. */
export interface Reader {
  readonly connection: Connection
  /** Frames sent to this socket alone, parsed. */
  readonly sent: unknown[]
  /** Topics whose frames reach it. */
  readonly topics: Set<string>
  unsent: number
}

const nobody = { user: null, sessionId: null, ip: '127.0.0.1', userAgent: '', device: null }

export function createReader(): Reader {
  const sent: unknown[] = []
  const topics = new Set<string>()
  const peer = {
    send: (frame: string | Uint8Array) => void sent.push(JSON.parse(String(frame))),
    join: (topic: string) => void topics.add(topic),
    leave: (topic: string) => void topics.delete(topic),
    unsentBytes: () => reader.unsent,
    close: () => {
      connection.closed = true
    },
  }
  const allowance = new Admission(defaultLimits).allow(nobody)
  const connection = new Connection('1', nobody, peer, allowance, performance.now())
  const reader: Reader = { connection, sent, topics, unsent: 0 }
  return reader
}
