import { callListener } from './event-emitter.ts'
import type { AnyListener, StreamInfo } from './types.ts'

/** One listener of a stream. */
export interface Follower {
  readonly listener: AnyListener
  /** The `seq` of the last value that it was given; null before the first. */
  seq: number | null
}

/** One subscription at the server, shared by all listeners of the same type and input. */
export class Stream {
  readonly key: string
  readonly type: string
  readonly input: Readonly<Record<string, unknown>>
  readonly followers = new Set<Follower>()
  /** Known once opened on the current connection. */
  channel: string | null = null
  reliable = false
  /** Events are accepted. False between a gap and the next opening. */
  live = false
  opening = false
  /** The `seq` of the last event or opening; null before the first. */
  seq: number | null = null
  /** The state at `seq`, while no event has come since: what a later listener is given. */
  snapshot: { readonly value: unknown; readonly seq: number } | null = null
  failures = 0
  retry: ReturnType<typeof setTimeout> | undefined

  constructor(key: string, type: string, input: Stream['input']) {
    this.key = key
    this.type = type
    this.input = input
  }

  /** Gives an event to a follower that still listens and has not had it. */
  give(follower: Follower, value: unknown, seq: number, kind: StreamInfo['kind']): void {
    if (!this.followers.has(follower) || (follower.seq !== null && seq <= follower.seq)) return
    follower.seq = seq
    callListener(() => follower.listener.next(value, { kind, seq }))
  }

  /** Gives a snapshot to a follower that still listens. */
  giveSnapshot(follower: Follower, value: unknown, info: StreamInfo): void {
    if (!this.followers.has(follower)) return
    follower.seq = info.seq
    const { listener } = follower
    callListener(() => (listener.snapshot ? listener.snapshot(value, info) : listener.next(value, info)))
  }

  /** The next opening starts from nothing. */
  forgetPlace(): void {
    this.seq = null
    this.snapshot = null
    for (const follower of this.followers) follower.seq = null
  }
}
