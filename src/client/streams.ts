import { STREAM_CLOSED } from '../protocol/codes.ts'
import type { Answer, Opening, StreamEvent } from '../protocol/envelope.ts'
import { RallyError } from './errors.ts'
import { type Backoff, backoffMs } from './reconnect-delay.ts'
import { call, createStream, type Entry, forgetPlace, give, giveSnapshot, type Stream } from './stream.ts'
import type { AnyListener } from './types.ts'

export interface StreamsOptions {
  /** Sends a request that belongs to the current socket; calls back before any later frame is looked at. */
  readonly request: (
    type: string,
    data: unknown,
    resolve: (data: unknown) => void,
    reject: (error: RallyError) => void,
  ) => void
  readonly isOpen: () => boolean
  readonly backoff: Backoff
  /** Told of errors that a listener without `error` would have been told of. */
  readonly onError: (error: RallyError) => void
}

/** Why the server ends a stream that it would at once open again. */
const HEALED_BY_REOPENING: ReadonlySet<string> = new Set(['gap', 'behind'])

/** Subscriptions: shared by their listeners, opened again after each interruption, in order and without doubles. */
export class Streams {
  readonly #options: StreamsOptions
  readonly #streams = new Map<string, Stream>()
  readonly #byChannel = new Map<string, Set<Stream>>()
  /** Channels that nobody listens to, left once no opening of the same type could be about to join them. */
  readonly #leaving = new Map<string, string>()
  /** Grows with each connection: answers to openings on an earlier one count no more. */
  #epoch = 0

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** Adds a listener; gives a function that takes it away. */
  subscribe(type: string, input: unknown, listener: AnyListener): () => void {
    const key = `${type} ${JSON.stringify(sorted(input ?? {}))}`
    const stream = this.#streams.get(key) ?? this.#add(key, type, input)
    const entry: Entry = { listener, seq: null }
    stream.entries.add(entry)
    // Not before the caller has the function that stops it.
    queueMicrotask(() => this.#welcomeEntry(stream, entry))
    return () => this.#stop(stream, entry)
  }

  /** Takes an event, or the end of a stream; false for a channel that nobody knows. */
  receive(message: StreamEvent | Answer): boolean {
    const streams = this.#byChannel.get(message.eid)
    if (!streams) return false
    for (const stream of [...streams]) {
      if ('seq' in message) this.#event(stream, message)
      else if (message.error === STREAM_CLOSED) this.#ended(stream, reasonOf(message.data))
    }
    return true
  }

  /** A new connection. `userChanged`: what streams of the last user counted means nothing to this one. */
  welcome(userChanged: boolean): void {
    for (const stream of this.#streams.values()) {
      if (userChanged) forgetPlace(stream)
      clearTimeout(stream.retry)
      stream.retry = undefined
      this.#open(stream)
    }
  }

  /** The connection is lost. */
  drop(): void {
    this.#epoch++
    this.#byChannel.clear()
    this.#leaving.clear()
    for (const stream of this.#streams.values()) {
      stream.channel = null
      stream.live = false
      stream.opening = false
      if (stream.entries.size === 0) this.#streams.delete(stream.key)
    }
  }

  /** Ends every stream. */
  close(): void {
    this.drop()
    for (const stream of [...this.#streams.values()]) this.#ended(stream, 'closed')
  }

  #add(key: string, type: string, input: unknown): Stream {
    const stream = createStream(key, type, { ...(input ?? {}) })
    this.#streams.set(key, stream)
    return stream
  }

  /** Gives a new listener its first value: the snapshot that is here if it is still the newest, else one of its own. */
  #welcomeEntry(stream: Stream, entry: Entry): void {
    if (entry.seq !== null || !stream.entries.has(entry)) return
    const { snapshot } = stream
    if (stream.live && snapshot && snapshot.seq >= (stream.seq ?? 0)) {
      giveSnapshot(stream, entry, snapshot.value, { kind: 'snapshot', seq: snapshot.seq })
    } else this.#open(stream)
  }

  #stop(stream: Stream, entry: Entry): void {
    if (!stream.entries.delete(entry) || stream.entries.size > 0) return
    // The answer to an opening under way still has to tell which channel to leave.
    if (!stream.opening) this.#forget(stream)
  }

  #forget(stream: Stream): void {
    clearTimeout(stream.retry)
    if (this.#streams.get(stream.key) === stream) this.#streams.delete(stream.key)
    this.#detach(stream)
  }

  #detach(stream: Stream): void {
    const channel = this.#unlink(stream)
    if (channel === null || this.#byChannel.has(channel)) return
    this.#leaving.set(channel, stream.type)
    this.#leave(stream.type)
  }

  /** Takes no more events for `stream`; gives the channel that it had. */
  #unlink(stream: Stream): string | null {
    const { channel } = stream
    stream.channel = null
    stream.live = false
    if (channel === null) return null
    const streams = this.#byChannel.get(channel)
    if (streams?.delete(stream) && streams.size === 0) this.#byChannel.delete(channel)
    return channel
  }

  #leave(type: string): void {
    for (const stream of this.#streams.values()) if (stream.opening && stream.type === type) return
    for (const [channel, of] of this.#leaving) {
      if (of !== type) continue
      this.#leaving.delete(channel)
      if (this.#byChannel.has(channel)) continue
      // Lost with its socket it has happened all the same.
      this.#options.request('rpc.unsubscribe', { channel }, ignore, ignore)
    }
  }

  #open(stream: Stream): void {
    if (stream.opening || stream.retry !== undefined || !this.#options.isOpen()) return
    stream.opening = true
    const epoch = this.#epoch
    // A live stream is opened again for the sake of a new listener, which wants all of it.
    const isFresh = stream.live || stream.seq === null
    const input = isFresh ? stream.input : { ...stream.input, since: stream.seq }
    const settle = (then: () => void) => {
      if (epoch !== this.#epoch) return
      stream.opening = false
      then()
      this.#leave(stream.type)
    }
    this.#options.request(
      stream.type,
      input,
      (opening) => settle(() => this.#opened(stream, opening as Opening<unknown, unknown>, isFresh)),
      (error) => settle(() => this.#failed(stream, error)),
    )
  }

  #opened(stream: Stream, opening: Opening<unknown, unknown>, isFresh: boolean): void {
    const { channel, seq, missed, gap } = opening
    const wasLive = stream.live
    const fromSeq = stream.seq
    if (stream.channel !== channel) this.#detach(stream)
    stream.channel = channel
    stream.live = true
    stream.reliable = opening.delivery === 'reliable'
    stream.failures = 0
    const streams = this.#byChannel.get(channel) ?? new Set()
    this.#byChannel.set(channel, streams.add(stream))
    if (stream.entries.size === 0) {
      this.#forget(stream)
      return
    }
    // On a live stream the events up to the opening are still under way to those who listened before.
    if (!wasLive) stream.seq = seq
    if (!missed && seq >= (stream.seq ?? seq)) stream.snapshot = { value: opening.snapshot, seq }
    for (const entry of stream.entries) {
      const isNew = entry.seq === null
      if (!isNew && wasLive) continue
      if (!missed) {
        giveSnapshot(stream, entry, opening.snapshot, { kind: 'snapshot', seq, ...(gap && { gap }) })
      } else if (!isNew || isFresh) {
        for (const event of missed) give(stream, entry, event.data, event.seq, 'missed')
        if (stream.entries.has(entry)) entry.seq = seq
      }
      if (!isNew && fromSeq !== null && stream.entries.has(entry)) {
        const kind = missed ? 'missed' : 'snapshot'
        call(() => entry.listener.healed?.({ kind, fromSeq, seq, gap: gap ?? false }))
      }
    }
    if ([...stream.entries].some((entry) => entry.seq === null)) this.#open(stream)
  }

  #failed(stream: Stream, error: RallyError): void {
    if (stream.entries.size === 0) this.#forget(stream)
    else if (error.temporary) {
      const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs(stream.failures++, this.#options.backoff))
      stream.retry = setTimeout(() => {
        stream.retry = undefined
        this.#open(stream)
      }, waitMs)
    } else {
      const entries = [...stream.entries].filter(({ seq }) => !stream.live || seq === null)
      for (const entry of entries) stream.entries.delete(entry)
      if (stream.entries.size === 0) this.#forget(stream)
      for (const entry of entries) this.#giveError(entry, error)
    }
  }

  #event(stream: Stream, { seq, data }: StreamEvent): void {
    if (!stream.live || stream.seq === null) return
    if (stream.reliable && seq !== stream.seq + 1) {
      if (seq <= stream.seq) return
      stream.live = false
      this.#open(stream)
      return
    }
    stream.seq = Math.max(stream.seq, seq)
    if (stream.snapshot && seq > stream.snapshot.seq) stream.snapshot = null
    for (const entry of stream.entries) if (entry.seq !== null) give(stream, entry, data, seq, 'event')
  }

  #ended(stream: Stream, reason: string): void {
    // The server sends no more of it: there is nothing to leave.
    this.#unlink(stream)
    if (HEALED_BY_REOPENING.has(reason)) {
      this.#open(stream)
      return
    }
    this.#forget(stream)
    for (const entry of [...stream.entries]) {
      stream.entries.delete(entry)
      if (entry.listener.end) call(() => entry.listener.end?.(reason))
      else if (reason !== 'closed') {
        this.#giveError(entry, new RallyError(STREAM_CLOSED, reason, { type: stream.type }))
      }
    }
  }

  #giveError(entry: Entry, error: RallyError): void {
    const { listener } = entry
    if (listener.error) call(() => listener.error?.(error))
    else this.#options.onError(error)
  }
}

function reasonOf(data: unknown): string {
  const { reason } = (data ?? {}) as { reason?: unknown }
  return typeof reason === 'string' ? reason : 'unknown'
}

/** The same value with its keys in order, so that equal inputs have one text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}

function ignore(): void {}
