import type { BusSubscription } from '../bus/bus.ts'
import { STREAM_CLOSED } from '../protocol/index.ts'
import type { Channel } from './channel.ts'
import type { Connection } from './connection.ts'
import type { Delivery } from './definition.ts'

export type Frame = string | Uint8Array

/** A channel that this process listens to, because at least one of its sockets follows it. */
export interface Stream {
  readonly channel: Channel<unknown>
  readonly delivery: Delivery
  readonly subscription: BusSubscription
  readonly followers: Set<Connection>
  /** Followers whose snapshot is newer than `lastSeq`, with its `seq`: events up to it must not reach them. */
  readonly ahead: Map<Connection, number>
  /** Events of a `reliable` stream that came before their turn. */
  readonly held: Map<number, Frame>
  heldSince: number
  opening: number
  /** Its end has come: who is still opening it reads again, and finds what there is instead. */
  isOver: boolean
  lastSeq: number
  lastFrame: Frame | null
}

/** The frame that ends a stream. */
export function endFrame(channel: Channel<unknown>, reason: string): string {
  const { type, name } = channel
  return JSON.stringify({ type, eid: name, ts: Date.now(), data: { reason }, error: STREAM_CLOSED })
}
