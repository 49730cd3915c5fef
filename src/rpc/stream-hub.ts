import type { Bus } from '../bus/bus.ts'
import { defaultLimits, type Opening } from '../protocol/index.ts'
import type { Channel, Cost } from './channel.ts'
import type { Connection } from './connection.ts'
import type { Delivery, Opened } from './definition.ts'
import { RpcError } from './errors.ts'
import { endFrame, type Frame, type Stream } from './stream.ts'
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
      for (let reads = 1; reads <= MAX_READS && !connection.closed; reads++) {
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
        // Where each event stands alone, the newest one makes up at last for a snapshot that is never the newest.
        if (isBehind && (reads < MAX_READS || stream.lastFrame === null)) continue
        const replaced = this.#budget.admit(connection, stream.channel)
        if (!answer({ channel: channel.name, delivery, ...rest })) return
        for (const other of replaced) {
          connection.peer.send(endFrame(other, 'replaced'))
          this.leave(connection, other.name)
        }
        // An answer that a socket has no room for closes it.
        if (connection.closed) return
        this.#join(connection, stream, opened.seq)
        if (isBehind && stream.lastFrame !== null) connection.peer.send(stream.lastFrame)
        return
      }
      if (connection.closed) return
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
    this.#catchUp(stream)
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
      if (stream.held.size > 0 && now - stream.heldSince > MAX_HOLD_MS) this.#giveUp(stream)
    }
  }

  #listen(channel: Channel<unknown>, delivery: Delivery): Stream {
    const stream: Stream = {
      channel,
      delivery,
      subscription: this.#options.bus.subscribe(channel.name, ({ seq, payload }) => {
        if (seq === END) this.#endForAll(stream, payload)
        else
          this.#deliver(stream, seq, typeof payload === 'string' ? payload : (channel.localize?.(payload) ?? payload))
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
    stream.followers.add(connection)
    if (seq <= stream.lastSeq) connection.peer.join(name)
    else {
      stream.ahead.set(connection, seq)
      this.#catchUp(stream)
    }
  }

  /**
   * When all followers are ahead of a stream, it goes on from the oldest of their snapshots: what came before is missing to
   * nobody.
   */
  #catchUp(stream: Stream): void {
    if (stream.ahead.size === 0 || stream.ahead.size < stream.followers.size) return
    let oldest = Number.POSITIVE_INFINITY
    for (const seq of stream.ahead.values()) oldest = Math.min(oldest, seq)
    stream.lastSeq = oldest
    for (const seq of stream.held.keys()) if (seq <= oldest) stream.held.delete(seq)
    for (const [connection, seq] of stream.ahead) if (seq === oldest) this.#arrive(stream, connection)
    this.#flush(stream)
  }

  /** The events of a stream have reached the snapshot of a follower, who gets them from now on. */
  #arrive(stream: Stream, connection: Connection): void {
    const { name } = stream.channel
    stream.ahead.delete(connection)
    if (connection.following.get(name)?.skippedFrom === null) connection.peer.join(name)
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
    this.#flush(stream)
  }

  /** Sends the events whose turn has come. */
  #flush(stream: Stream): void {
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
    if (stream.held.size > MAX_HELD) this.#giveUp(stream)
  }

  /** Ends the stream for those who miss an event; it goes on for those whose snapshot is newer. */
  #giveUp(stream: Stream): void {
    const frame = endFrame(stream.channel, 'gap')
    const behind = [...stream.followers].filter((connection) => !stream.ahead.has(connection))
    for (const connection of behind) this.#endFor(connection, stream, frame)
    stream.heldSince = performance.now()
    if (stream.followers.size > 0) return
    // Who is opening the stream finds out by this that a snapshot is too old.
    for (const seq of stream.held.keys()) stream.lastSeq = Math.max(stream.lastSeq, seq)
    stream.held.clear()
  }

  #send(stream: Stream, seq: number, frame: Frame): void {
    stream.lastSeq = seq
    if (stream.delivery === 'latest' && !stream.channel.incremental) stream.lastFrame = frame
    if (stream.followers.size === 0) return
    this.#fanOut(stream.channel.name, frame)
    if (stream.ahead.size === 0) return
    for (const [connection, from] of stream.ahead) {
      if (seq < from) continue
      if (seq > from) connection.peer.send(frame)
      this.#arrive(stream, connection)
    }
  }

  #endForAll(stream: Stream, frame: Frame): void {
    stream.isOver = true
    stream.held.clear()
    for (const connection of [...stream.followers]) this.#endFor(connection, stream, frame)
    if (this.#streams.get(stream.channel.name) === stream) this.#streams.delete(stream.channel.name)
  }

  #endFor(connection: Connection, stream: Stream, frame: Frame): void {
    const missedSome = (connection.following.get(stream.channel.name)?.skippedFrom ?? stream.lastSeq) < stream.lastSeq
    // Who was too slow for the last event gets it now or never, or has to see anew what came of all of them.
    if (missedSome && stream.lastFrame !== null) connection.peer.send(stream.lastFrame)
    connection.peer.send(missedSome && stream.channel.incremental ? endFrame(stream.channel, 'behind') : frame)
    this.leave(connection, stream.channel.name)
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
