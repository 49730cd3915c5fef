import type { Limits } from './default-limits.ts'

/** The sub-protocol a client may offer in `Sec-WebSocket-Protocol`. */
export const PROTOCOL = 'rally.v1'

interface Envelope {
  /** `namespace.name` of a method or subscription. */
  readonly type: string
  /** The client's id of this exchange, 1 to 64 characters. A retry carries the same. */
  readonly eid: string
  /** The sender's clock, ms since the epoch. */
  readonly ts: number
}

/** A request: one method call, or the opening of one subscription. */
export interface ClientMessage extends Envelope {
  readonly data?: unknown
}

/** The answer to a request: it carries the request's `type` and `eid`. */
export interface Answer extends Envelope {
  readonly data: unknown
  readonly error?: string
}

/** An event of a stream. Its `eid` is the channel, so that the bytes are the same for every subscriber. */
export interface StreamEvent extends Envelope {
  readonly seq: number
  readonly data: unknown
}

export type ServerMessage = Answer | StreamEvent

/** One thing wrong with the input. `path` is dotted, empty for the whole. */
export interface Issue {
  readonly path: string
  readonly message: string
}

/** The `data` of an answer with an `error`. */
export interface ErrorData {
  readonly message: string
  readonly issues?: readonly Issue[]
  readonly retryAfterMs?: number
}

/** The answer to a subscription: a snapshot, or the events of a log after the `since` of the request. */
export interface Opening<Snapshot, Event> {
  readonly channel: string
  readonly seq: number
  /** In a `reliable` stream `seq` grows by one per event, so a jump is a gap. In a `latest` stream it may jump. */
  readonly delivery?: 'reliable' | 'latest'
  readonly snapshot?: Snapshot
  readonly missed?: readonly { readonly seq: number; readonly data: Event }[]
  /** The log does not go back to `since`: the snapshot replaces the missing events. */
  readonly gap?: true
}

/** The first frame on every socket: `type` is `rpc.welcome`, `eid` is `welcome`. */
export interface Welcome {
  readonly user: { readonly id: string; readonly username: string } | null
  readonly node: string
  readonly version: string
  readonly heartbeatMs: number
  readonly limits: Limits
}

/** The `type` and `eid` of an answer where those of the frame could not be read. */
export const UNREADABLE = { type: 'rpc.error', eid: 'unknown' } as const
