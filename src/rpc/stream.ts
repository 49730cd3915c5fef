import type { Bus, BusSubscription } from '../bus/bus.ts'
import { STREAM_CLOSED } from '../protocol/index.ts'
import type { Connection, Following } from './connection.ts'
import type { Channel, Delivery } from './definition.ts'

export type Frame = string | Uint8Array

/** Publishes one frame to every socket that joined `topic`, encoded and copied once. `sockets` is how many joined. */
export type FanOut = (topic: string, frame: Frame, sockets: number) => void

/** What a stream needs of the hub. */
export interface StreamHost {
  readonly bus: Bus
  readonly fanOut: FanOut
  /** Takes a follower out of a stream. */
  leave(connection: Connection, channel: string): void
  /** Called when a slow socket is left out. */
  skipped(): void
  /** Called when the stream is over. The next opening of the channel makes a new one. */
  over(stream: Stream): void
}

/** How long an event waits for the one before it, which another connection to the database may deliver late. */
const MAX_HOLD_MS = 2_000
const MAX_HELD = 256
const UNKNOWN = -1
/** The `seq` of a bus message that ends a stream. */
export const END = -2

/** A channel that this node listens to, because at least one of its sockets follows it. */
export class Stream {
  readonly channel: Channel<unknown>
  readonly delivery: Delivery
  readonly subscription: BusSubscription
  readonly followers = new Set<Connection>()
  /** Since when all events that are published anywhere arrive here. Monotonic, ms. */
  readySince = Number.POSITIVE_INFINITY
  /** Openings under way. */
  opening = 0
  /** It has ended: an opening under way reads again. */
  isOver = false
  lastSeq = UNKNOWN
  /** The length of all frames that were sent to those who joined. */
  sentLength = 0
  /** The newest event, if each event stands alone. */
  lastFrame: Frame | null = null
  readonly #host: StreamHost
  /** Followers whose snapshot is newer than `lastSeq`, with its `seq`: events up to it must not reach them. */
  readonly #ahead = new Map<Connection, number>()
  /** Events of a `reliable` stream that came before their turn. */
  readonly #held = new Map<number, Frame>()
  #heldSince = 0
  /** Followers that get what is published. */
  #joined = 0

  constructor(channel: Channel<unknown>, delivery: Delivery, host: StreamHost) {
    this.channel = channel
    this.delivery = delivery
    this.#host = host
    this.subscription = host.bus.subscribe(
      channel.name,
      ({ seq, payload }) => {
        if (seq === END) this.end(payload)
        else this.#deliver(seq, typeof payload === 'string' ? payload : (channel.localize?.(payload) ?? payload))
      },
      () => this.end(endFrame(channel, 'gap')),
    )
  }

  /** Adds a follower whose snapshot has the number `seq`. */
  add(connection: Connection, seq: number): void {
    this.followers.add(connection)
    if (seq <= this.lastSeq) this.#join(connection)
    else {
      this.#ahead.set(connection, seq)
      this.#catchUp()
    }
  }

  /** Removes a follower that has left the topic. */
  delete(connection: Connection, { skippedFrom }: Following): void {
    this.followers.delete(connection)
    if (!this.#ahead.delete(connection) && skippedFrom === null) this.#joined--
    this.#catchUp()
  }

  /** Ends the stream for all its followers. */
  end(frame: Frame): void {
    this.isOver = true
    this.#held.clear()
    for (const connection of [...this.followers]) this.#endFor(connection, frame)
    this.#host.over(this)
  }

  /** Ends a `reliable` stream in which an event has been missing for too long. */
  sweep(now: number): void {
    if (this.#held.size > 0 && now - this.#heldSince > MAX_HOLD_MS) this.#giveUp()
  }

  /** Leaves a slow socket out of a `latest` stream from now on. */
  skip(connection: Connection): void {
    const following = connection.following.get(this.channel.name)
    if (this.delivery !== 'latest' || following?.skippedFrom !== null) return
    following.skippedFrom = this.lastSeq
    connection.leave(this.channel.name)
    if (!this.#ahead.has(connection)) this.#joined--
    this.#host.skipped()
  }

  /** Lets a socket that has drained catch up. */
  resume(connection: Connection): void {
    const { name, incremental } = this.channel
    const following = connection.following.get(name)
    if (!following || following.skippedFrom === null) return
    const missedSome = this.lastSeq > following.skippedFrom
    if (missedSome && incremental) {
      connection.send(endFrame(this.channel, 'behind'))
      this.#host.leave(connection, name)
      return
    }
    if (missedSome && this.lastFrame !== null) connection.send(this.lastFrame)
    // A frame that the socket has no room for closes it.
    if (connection.closed) return
    following.skippedFrom = null
    if (!this.#ahead.has(connection)) this.#join(connection)
  }

  #deliver(seq: number, frame: Frame): void {
    if (seq <= this.lastSeq) return
    const isNext = this.delivery === 'latest' || this.lastSeq === UNKNOWN || seq === this.lastSeq + 1
    if (isNext || this.followers.size === 0) {
      this.#send(seq, frame)
      this.#flush()
      return
    }
    if (this.#held.size === 0) this.#heldSince = performance.now()
    this.#held.set(seq, frame)
    if (this.#held.size > MAX_HELD) this.#giveUp()
  }

  #send(seq: number, frame: Frame): void {
    this.lastSeq = seq
    if (this.delivery === 'latest' && !this.channel.incremental) this.lastFrame = frame
    if (this.followers.size === 0) return
    this.sentLength += frame.length
    this.#host.fanOut(this.channel.name, frame, this.#joined)
    for (const [connection, from] of this.#ahead) {
      if (seq < from) continue
      if (seq > from) connection.send(frame)
      this.#arrive(connection)
    }
  }

  /** Sends the events whose predecessors have been sent. */
  #flush(): void {
    for (;;) {
      const seq = this.lastSeq + 1
      const frame = this.#held.get(seq)
      if (frame === undefined) return
      this.#held.delete(seq)
      this.#send(seq, frame)
    }
  }

  /** When all followers have newer snapshots, the stream continues from the oldest of them: nobody misses earlier events. */
  #catchUp(): void {
    if (this.#ahead.size === 0 || this.#ahead.size < this.followers.size) return
    let oldest = Number.POSITIVE_INFINITY
    for (const seq of this.#ahead.values()) oldest = Math.min(oldest, seq)
    this.lastSeq = oldest
    for (const seq of this.#held.keys()) if (seq <= oldest) this.#held.delete(seq)
    for (const [connection, seq] of this.#ahead) if (seq === oldest) this.#arrive(connection)
    this.#flush()
  }

  /** The events have reached the snapshot of a follower, so it gets them from now on. */
  #arrive(connection: Connection): void {
    const { name } = this.channel
    this.#ahead.delete(connection)
    if (connection.following.get(name)?.skippedFrom === null) this.#join(connection)
  }

  #join(connection: Connection): void {
    connection.join(this.channel.name)
    this.#joined++
  }

  /** Ends the stream for followers who miss an event. It goes on for followers with a newer snapshot. */
  #giveUp(): void {
    const frame = endFrame(this.channel, 'gap')
    const behind = [...this.followers].filter((connection) => !this.#ahead.has(connection))
    for (const connection of behind) this.#endFor(connection, frame)
    this.#heldSince = performance.now()
    if (this.followers.size > 0) return
    // This shows an opening under way that its snapshot is too old.
    for (const seq of this.#held.keys()) this.lastSeq = Math.max(this.lastSeq, seq)
    this.#held.clear()
  }

  #endFor(connection: Connection, frame: Frame): void {
    const { name, incremental } = this.channel
    const missedSome = (connection.following.get(name)?.skippedFrom ?? this.lastSeq) < this.lastSeq
    // A socket that was too slow for the last event gets it now, or opens the stream again if events build on each other.
    if (missedSome && this.lastFrame !== null) connection.send(this.lastFrame)
    connection.send(missedSome && incremental ? endFrame(this.channel, 'behind') : frame)
    this.#host.leave(connection, name)
  }
}

/** The frame that ends a stream. */
export function endFrame(channel: Channel<unknown>, reason: string): string {
  const { type, name } = channel
  return JSON.stringify({ type, eid: name, ts: Date.now(), data: { reason }, error: STREAM_CLOSED })
}
