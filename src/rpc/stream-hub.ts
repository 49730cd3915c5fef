import type { Bus } from '../bus/bus.ts'
import type { Limits, Opening } from '../protocol/index.ts'
import type { Connection } from './connection.ts'
import type { Channel, Delivery, Opened } from './definition.ts'
import { RpcError } from './errors.ts'
import { END, endFrame, type FanOut, Stream, type StreamHost } from './stream.ts'
import { StreamBudget } from './stream-budget.ts'

export interface HubOptions {
  readonly bus: Bus
  readonly limits: Pick<Limits, 'latestUnsentBytes' | 'streamFramesPerSecond' | 'streamBytesPerSecond'>
  /** Looks at every event before it is encoded; set outside production to compare events with their schema. */
  readonly inspect?: (type: string, event: unknown) => void
}

/** How often a snapshot is read again because events came while it was read. */
const MAX_READS = 8

/**
 * Brings events to the sockets that follow their channel, on all nodes. An event is encoded once where it is published, crosses the bus as bytes, and leaves each node through the transport's
 * own fan-out. The hub makes sure that a socket joins without losing or doubling events. A `Stream` handles order and
 * slow sockets.
 */
export class Hub implements StreamHost {
  readonly #options: HubOptions
  readonly #streams = new Map<string, Stream>()
  readonly #budget: StreamBudget
  readonly bus: Bus
  fanOut: FanOut = () => {}
  /** What was published here, and how often a slow socket was left out of a stream, since the start. */
  readonly stats = { events: 0, frames: 0, skips: 0 }

  constructor(options: HubOptions) {
    this.#options = options
    const { streamFramesPerSecond: frames, streamBytesPerSecond: bytes } = options.limits
    this.#budget = new StreamBudget({ frames, bytes })
    this.bus = options.bus
  }

  /** Connects the transport. Called once, before the first socket opens. */
  attach(fanOut: FanOut): void {
    this.fanOut = fanOut
  }

  /** Whether an event published to `channel` would reach anybody on any node; lets a publisher skip making it. */
  isFollowed(channel: Channel<unknown>): boolean {
    return this.bus.hasSubscribers(channel.name)
  }

  /**
   * Publishes the event with number `seq`. In a `reliable` stream `seq` grows by one each time. `json` is the event
   * encoded, where it goes to several channels.
   */
  publish<Event>(channel: Channel<Event>, seq: number, event: Event, json = JSON.stringify(event)): void {
    if (!this.isFollowed(channel)) return
    this.#options.inspect?.(channel.type, event)
    this.#publishJson(channel, seq, json)
  }

  /** As `publish`, for an event that was put together from encoded parts. */
  publishEncoded(channel: Channel<unknown>, seq: number, json: string): void {
    if (!this.isFollowed(channel)) return
    this.#options.inspect?.(channel.type, JSON.parse(json))
    this.#publishJson(channel, seq, json)
  }

  #publishJson(channel: Channel<unknown>, seq: number, json: string): void {
    this.stats.events++
    const head = JSON.stringify({ type: channel.type, eid: channel.name, ts: Date.now(), seq })
    const frame = `${head.slice(0, -1)},"data":${json}}`
    this.bus.publish(channel.name, { seq, payload: frame })
  }

  /** Publishes a binary frame, for streams whose protocol defines one. */
  publishFrame(channel: Channel<unknown>, seq: number, frame: Uint8Array): void {
    this.stats.frames++
    this.bus.publish(channel.name, { seq, payload: frame })
  }

  /** Ends the stream for all its followers. */
  end(channel: Channel<unknown>, reason: string): void {
    if (!this.isFollowed(channel)) return
    this.bus.publish(channel.name, { seq: END, payload: endFrame(channel, reason) })
  }

  /**
   * Reads a snapshot and joins the channel so that no event is lost or doubled between the two. `answer` is called with
   * the opening at the moment of joining and must queue it to the socket before it returns; false means that nobody waits
   * for the answer any more.
   * @throws RpcError UNAVAILABLE when events come faster than the snapshot can be read, or when other nodes cannot be
   *   reached; RATE_LIMITED when the streams of the socket, or of all of its user or address, would cost too much.
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
        const readFrom = performance.now()
        const opened = await read()
        if (connection.closed) return
        const { channel, over, ...rest } = opened
        if (over !== undefined) {
          if (answer({ channel: channel.name, delivery, ...rest })) connection.send(endFrame(channel, over))
          return
        }
        if (stream?.channel.name !== channel.name || stream.isOver) {
          this.#release(stream)
          stream = this.#streams.get(channel.name) ?? new Stream(channel, delivery, this)
          this.#streams.set(channel.name, stream)
          stream.opening++
          await this.#ready(stream)
          // This node may have missed events between reading and listening.
          if (stream.readySince >= readFrom) continue
        }
        if (connection.closed) return
        if (stream.isOver) continue
        const isBehind = stream.lastSeq > opened.seq
        // If each event stands alone and events come too fast, the newest event follows the snapshot.
        if (isBehind && (reads < MAX_READS || stream.lastFrame === null)) continue
        const replaced = this.#budget.admit(connection, stream.channel)
        if (!answer({ channel: channel.name, delivery, ...rest })) return
        for (const other of replaced) {
          connection.send(endFrame(other, 'replaced'))
          this.leave(connection, other.name)
        }
        // An answer that a socket has no room for closes it.
        if (connection.closed) return
        this.#join(connection, stream, opened.seq)
        if (isBehind && stream.lastFrame !== null) connection.send(stream.lastFrame)
        return
      }
      if (connection.closed) return
    } finally {
      this.#release(stream)
    }
    throw new RpcError('UNAVAILABLE', 'Too much is happening in this stream; try again', { retryAfterMs: 1000 })
  }

  /** Stops following, if the socket follows the channel. */
  leave(connection: Connection, channel: string): void {
    const following = connection.following.get(channel)
    if (!following) return
    connection.following.delete(channel)
    this.#budget.count(connection, following.channel, -1)
    connection.leave(channel)
    const stream = this.#streams.get(channel)
    if (!stream) return
    stream.delete(connection, following)
    this.#collect(stream)
  }

  /** Ends the stream for one of its followers. */
  endFor(connection: Connection, channel: Channel<unknown>, reason: string): void {
    if (!connection.following.has(channel.name)) return
    connection.send(endFrame(channel, reason))
    this.leave(connection, channel.name)
  }

  leaveAll(connection: Connection): void {
    for (const channel of [...connection.following.keys()]) this.leave(connection, channel)
  }

  /**
   * Adds what was published to `connection` to what it has not read, skips its `latest` streams while it is slow, and lets it
   * catch up once it has drained. Called for every socket a few times a second, and when the transport says that a socket has drained.
   */
  checkBacklog(connection: Connection): void {
    if (connection.following.size === 0) return
    const { latestUnsentBytes } = this.#options.limits
    const unsent = connection.unsentBytes()
    for (const [channel, following] of connection.following) {
      const stream = this.#streams.get(channel)
      if (stream === undefined) continue
      if (following.skippedFrom === null) connection.unreadBytes += stream.sentLength - following.countedLength
      following.countedLength = stream.sentLength
      if (unsent > latestUnsentBytes) stream.skip(connection)
      else if (unsent <= latestUnsentBytes / 2) stream.resume(connection)
    }
  }

  /** Ends `reliable` streams in which an event has been missing for too long. Called a few times a second. */
  sweep(now: number): void {
    for (const stream of this.#streams.values()) stream.sweep(now)
  }

  skipped(): void {
    this.stats.skips++
  }

  /** How many subscriptions the sockets of this node have, by type. */
  countByType(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const { channel, followers } of this.#streams.values()) {
      counts.set(channel.type, (counts.get(channel.type) ?? 0) + followers.size)
    }
    return counts
  }

  /** @throws RpcError UNAVAILABLE when other nodes cannot be reached. */
  async #ready(stream: Stream): Promise<void> {
    await stream.subscription.ready.catch(() => {
      // The next opening subscribes again.
      stream.isOver = true
      this.over(stream)
      throw new RpcError('UNAVAILABLE', 'Other nodes cannot be reached; try again', { retryAfterMs: 1000 })
    })
    stream.readySince = Math.min(stream.readySince, performance.now())
  }

  #join(connection: Connection, stream: Stream, seq: number): void {
    const { name } = stream.channel
    if (connection.following.has(name)) return
    connection.following.set(name, { channel: stream.channel, skippedFrom: null, countedLength: stream.sentLength })
    this.#budget.count(connection, stream.channel, 1)
    stream.add(connection, seq)
  }

  #release(stream: Stream | undefined): void {
    if (!stream) return
    stream.opening--
    this.#collect(stream)
  }

  #collect(stream: Stream): void {
    if (stream.followers.size === 0 && stream.opening === 0) this.over(stream)
  }

  over(stream: Stream): void {
    stream.subscription.unsubscribe()
    if (this.#streams.get(stream.channel.name) === stream) this.#streams.delete(stream.channel.name)
  }
}
