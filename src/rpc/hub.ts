import type { Bus, BusSubscription } from '../bus/bus.ts'
import { defaultLimits, type Opening, STREAM_CLOSED } from '../protocol/index.ts'
import type { Channel, Cost } from './channel.ts'
import type { Connection } from './connection.ts'
import type { Delivery, Opened } from './definition.ts'
import { RpcError } from './errors.ts'
import { StreamBudget } from './stream-budget.ts'

/** Publishes one frame to every socket that joined `topic`, encoded and copied once. */
export type FanOut = (topic: string, frame: string | Uint8Array) => void

export interface HubOptions {
  readonly bus: Bus
  /** Bytes unsent above which `latest` streams skip a socket. */
  readonly latestUnsentBytes: number
  /** What the streams of one socket may cost together. */
  readonly streamBudget?: Cost
  /** Looks at every event before it is encoded; set outside production to hold events against their schema. */
  readonly inspect?: (type: string, event: unknown) => void
}

/** Times a snapshot is read again because events came while it was read. */
const MAX_READS = 8
/** How long an event waits for the one before it, which another connection to the database may deliver late. */
const MAX_HOLD_MS = 2_000
const MAX_HELD = 256
const UNKNOWN = -1
/** The `seq` of a bus message that ends a stream. */
const END = -2

type Frame = string | Uint8Array

/** A channel that this process listens to, because at least one of its sockets follows it. */
interface Stream {
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

/**
 * Brings events to the sockets that follow their channel.
 *
 * An event is encoded once where it is published, crosses the bus as bytes, and leaves each process through the
 * transport's own fan-out. The hub sees to order, to joining without gap or double, and to slow sockets.
 */
export class Hub {
  readonly #options: HubOptions
  readonly #streams = new Map<string, Stream>()
  readonly #budget: StreamBudget
  #fanOut: FanOut = () => {}

  constructor(options: HubOptions) {
    this.#options = options
    const { streamFramesPerSecond: frames, streamBytesPerSecond: bytes } = defaultLimits
    this.#budget = new StreamBudget(options.streamBudget ?? { frames, bytes })
  }

  /** Connects the transport. Called once, before the first socket opens. */
  attach(fanOut: FanOut): void {
    this.#fanOut = fanOut
  }

  /** Whether an event published to `channel` would reach anybody; lets a publisher skip making it. */
  isFollowed(channel: Channel<unknown>): boolean {
    return this.#options.bus.hasSubscribers(channel.name)
  }

  /**
   * Publishes the event with number `seq`. In a `reliable` stream `seq` grows by one each time. `json` is the event
   * encoded, where it goes to several channels.
   */
  publish<Event>(channel: Channel<Event>, seq: number, event: Event, json = JSON.stringify(event)): void {
    if (!this.isFollowed(channel)) return
    this.#options.inspect?.(channel.type, event)
    const head = JSON.stringify({ type: channel.type, eid: channel.name, ts: Date.now(), seq })
    const frame = `${head.slice(0, -1)},"data":${json}}`
    this.#options.bus.publish(channel.name, { seq, payload: frame })
  }

  /** Publishes a binary frame, for streams whose protocol defines one. */
  publishFrame(channel: Channel<unknown>, seq: number, frame: Uint8Array): void {
    this.#options.bus.publish(channel.name, { seq, payload: frame })
  }

  /** Ends the stream for all its followers. */
  end(channel: Channel<unknown>, reason: string): void {
    if (!this.isFollowed(channel)) return
    this.#options.bus.publish(channel.name, { seq: END, payload: endFrame(channel, reason) })
  }

  /**
   * Reads a snapshot and joins the channel so that no event is lost or doubled between the two. `answer` is called
   * with the opening at the moment of joining and must queue it to the socket before it returns; false means that
   * nobody waits for it any more.
   *
   * @throws RpcError UNAVAILABLE when events come faster than the snapshot can be read; RATE_LIMITED when the streams
   * of the socket, or of all of its user or address, would cost too much.
   */
  async follow<Event, Snapshot>(
    connection: Connection,
    delivery: Delivery,
    read: () => Promise<Opened<Event, Snapshot>> | Opened<Event, Snapshot>,
    answer: (opening: Opening<Snapshot, Event>) => boolean,
  ): Promise<void> {
    let stream: Stream | undefined
    try {
      for (let reads = 0; reads < MAX_READS; reads++) {
        const opened = await read()
        if (connection.closed) return
        const { channel, over, ...rest } = opened
        if (over !== undefined) {
          if (answer({ channel: channel.name, delivery, ...rest })) connection.peer.send(endFrame(channel, over))
          return
        }
        if (stream?.channel.name !== channel.name || stream.isOver) {
          this.#release(stream)
          const known = this.#streams.get(channel.name)
          stream = known ?? this.#listen(channel, delivery)
          stream.opening++
          await stream.subscription.ready
          // Events may have passed between the reading and the listening, unseen by this process.
          if (!known || known.lastSeq === UNKNOWN) continue
        }
        if (connection.closed) return
        if (stream.isOver) continue
        const isBehind = stream.lastSeq > opened.seq
        if (isBehind && (delivery === 'reliable' || stream.channel.incremental)) continue
        const replaced = this.#budget.admit(connection, stream.channel)
        if (!answer({ channel: channel.name, delivery, ...rest })) return
        for (const other of replaced) {
          connection.peer.send(endFrame(other, 'replaced'))
          this.leave(connection, other.name)
        }
        this.#join(connection, stream, opened.seq)
        if (isBehind && stream.lastFrame !== null) connection.peer.send(stream.lastFrame)
        return
      }
    } finally {
      this.#release(stream)
    }
    throw new RpcError('UNAVAILABLE', 'Too much is happening in this stream; try again', { retryAfterMs: 1000 })
  }

  /** Stops following; harmless when it never did. */
  leave(connection: Connection, channel: string): void {
    if (!connection.following.delete(channel)) return
    this.#budget.give(connection, channel)
    connection.peer.leave(channel)
    const stream = this.#streams.get(channel)
    if (!stream) return
    stream.followers.delete(connection)
    stream.ahead.delete(connection)
    this.#collect(stream)
  }

  leaveAll(connection: Connection): void {
    for (const channel of [...connection.following.keys()]) this.leave(connection, channel)
  }

  /**
   * Skips the `latest` streams of `connection` while it is slow, and lets it catch up once it has drained. Called
   * for every socket a few times a second, and when the transport says that a socket has drained.
   */
  checkBacklog(connection: Connection): void {
    if (connection.following.size === 0) return
    const unsent = connection.peer.unsentBytes()
    if (unsent > this.#options.latestUnsentBytes) this.#skip(connection)
    else if (unsent <= this.#options.latestUnsentBytes / 2) this.#resume(connection)
  }

  /** Ends `reliable` streams in which an event has been missing for too long. Called a few times a second. */
  sweep(now: number): void {
    for (const stream of this.#streams.values()) {
      if (stream.held.size > 0 && now - stream.heldSince > MAX_HOLD_MS)
        this.#endHere(stream, endFrame(stream.channel, 'gap'))
    }
  }

  #listen(channel: Channel<unknown>, delivery: Delivery): Stream {
    const stream: Stream = {
      channel,
      delivery,
      subscription: this.#options.bus.subscribe(channel.name, ({ seq, payload }) => {
        if (seq === END) this.#endForAll(stream, payload)
        else this.#deliver(stream, seq, payload)
      }),
      followers: new Set(),
      ahead: new Map(),
      held: new Map(),
      heldSince: 0,
      opening: 0,
      isOver: false,
      lastSeq: UNKNOWN,
      lastFrame: null,
    }
    this.#streams.set(channel.name, stream)
    return stream
  }

  #join(connection: Connection, stream: Stream, seq: number): void {
    const { name } = stream.channel
    if (connection.following.has(name)) return
    connection.following.set(name, { channel: name, skippedFrom: null })
    this.#budget.take(connection, stream.channel)
    if (stream.followers.size === 0) stream.lastSeq = Math.max(stream.lastSeq, seq)
    stream.followers.add(connection)
    if (seq > stream.lastSeq) stream.ahead.set(connection, seq)
    else connection.peer.join(name)
  }

  #release(stream: Stream | undefined): void {
    if (!stream) return
    stream.opening--
    this.#collect(stream)
  }

  #collect(stream: Stream): void {
    if (stream.followers.size > 0 || stream.opening > 0) return
    stream.subscription.unsubscribe()
    if (this.#streams.get(stream.channel.name) === stream) this.#streams.delete(stream.channel.name)
  }

  #deliver(stream: Stream, seq: number, frame: Frame): void {
    if (seq <= stream.lastSeq) return
    const isNext = stream.delivery === 'latest' || stream.lastSeq === UNKNOWN || seq === stream.lastSeq + 1
    if (!isNext && stream.followers.size > 0) {
      this.#hold(stream, seq, frame)
      return
    }
    this.#send(stream, seq, frame)
    while (stream.held.size > 0) {
      const next = stream.held.get(stream.lastSeq + 1)
      if (next === undefined) return
      stream.held.delete(stream.lastSeq + 1)
      this.#send(stream, stream.lastSeq + 1, next)
    }
  }

  #hold(stream: Stream, seq: number, frame: Frame): void {
    if (stream.held.size === 0) stream.heldSince = performance.now()
    stream.held.set(seq, frame)
    if (stream.held.size > MAX_HELD) this.#endHere(stream, endFrame(stream.channel, 'gap'))
  }

  #send(stream: Stream, seq: number, frame: Frame): void {
    stream.lastSeq = seq
    if (stream.delivery === 'latest' && !stream.channel.incremental) stream.lastFrame = frame
    if (stream.followers.size === 0) return
    this.#fanOut(stream.channel.name, frame)
    if (stream.ahead.size === 0) return
    for (const [connection, from] of stream.ahead) {
      if (seq < from) continue
      stream.ahead.delete(connection)
      if (seq > from) connection.peer.send(frame)
      const following = connection.following.get(stream.channel.name)
      if (following?.skippedFrom === null) connection.peer.join(stream.channel.name)
    }
  }

  #endForAll(stream: Stream, frame: Frame): void {
    stream.isOver = true
    this.#endHere(stream, frame)
    if (this.#streams.get(stream.channel.name) === stream) this.#streams.delete(stream.channel.name)
  }

  #endHere(stream: Stream, frame: Frame): void {
    for (const connection of [...stream.followers]) {
      const missedSome = (connection.following.get(stream.channel.name)?.skippedFrom ?? stream.lastSeq) < stream.lastSeq
      // Who was too slow for the last event gets it now or never, or has to see anew what came of all of them.
      if (missedSome && stream.lastFrame !== null) connection.peer.send(stream.lastFrame)
      connection.peer.send(missedSome && stream.channel.incremental ? endFrame(stream.channel, 'behind') : frame)
      this.leave(connection, stream.channel.name)
    }
    stream.held.clear()
  }

  #skip(connection: Connection): void {
    for (const following of connection.following.values()) {
      const stream = this.#streams.get(following.channel)
      if (following.skippedFrom !== null || stream?.delivery !== 'latest') continue
      following.skippedFrom = stream.lastSeq
      connection.peer.leave(following.channel)
    }
  }

  #resume(connection: Connection): void {
    for (const following of connection.following.values()) {
      const stream = this.#streams.get(following.channel)
      if (following.skippedFrom === null || !stream) continue
      const missedSome = stream.lastSeq > following.skippedFrom
      following.skippedFrom = null
      if (missedSome && stream.channel.incremental) {
        connection.peer.send(endFrame(stream.channel, 'behind'))
        this.leave(connection, following.channel)
        continue
      }
      if (missedSome && stream.lastFrame !== null) connection.peer.send(stream.lastFrame)
      if (!stream.ahead.has(connection)) connection.peer.join(following.channel)
    }
  }
}

function endFrame(channel: Channel<unknown>, reason: string): string {
  const { type, name } = channel
  return JSON.stringify({ type, eid: name, ts: Date.now(), data: { reason }, error: STREAM_CLOSED })
}
