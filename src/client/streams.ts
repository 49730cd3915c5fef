import { STREAM_CLOSED } from '../protocol/codes.ts'
import type { Answer, Opening, StreamEvent } from '../protocol/envelope.ts'
import type { Connection } from './connection.ts'
import { callSite, RallyError, withCallSite } from './errors.ts'
import { callListener } from './event-emitter.ts'
import { type Backoff, backoffMs } from './reconnect-delay.ts'
import type { Requests } from './requests.ts'
import type { AnyListener, StreamInfo } from './types.ts'

/** Reasons for which the server ends a stream that can be opened again at once. */
const HEALED_BY_REOPENING: ReadonlySet<string> = new Set(['gap', 'behind'])
const ignore = () => {}

interface Follower {
  readonly listener: AnyListener
  /** Where it subscribed. */
  readonly site: Error
  /** The `seq` of the last value that it was given; null before the first. */
  seq: number | null
}

/** One subscription at the server, shared by all listeners of the same type and input. */
class Stream {
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
}

/** The streams that are followed: opened again after each interruption, so that every event comes once and in order. */
export class Streams {
  readonly #connection: Connection
  readonly #requests: Requests
  readonly #backoff: Backoff
  readonly #onError: (error: RallyError) => void
  readonly #streams = new Map<string, Stream>()
  readonly #byChannel = new Map<string, Set<Stream>>()
  /** Channels that nobody follows, by their type; left when no opening of that type is under way, which may join them. */
  readonly #leaving = new Map<string, string>()
  /** Grows with each connection: answers to openings on an earlier one are ignored. */
  #epoch = 0

  /** `onError` is called with the errors of listeners without `error`. */
  constructor(connection: Connection, requests: Requests, backoff: Backoff, onError: (error: RallyError) => void) {
    this.#connection = connection
    this.#requests = requests
    this.#backoff = backoff
    this.#onError = onError
  }

  /** Adds a listener. Returns a function that removes it. */
  subscribe(type: string, input: unknown, listener: AnyListener): () => void {
    const key = `${type} ${JSON.stringify(input ?? {}, inOrder)}`
    const stream = this.#streams.get(key) ?? new Stream(key, type, { ...(input ?? {}) })
    this.#streams.set(key, stream)
    const follower: Follower = { listener, site: callSite(this.subscribe), seq: null }
    stream.followers.add(follower)
    // After the caller has the function that stops it.
    queueMicrotask(() => this.#welcomeFollower(stream, follower))
    return () => {
      // While an opening is under way, only its answer tells which channel to leave.
      if (stream.followers.delete(follower) && stream.followers.size === 0 && !stream.opening) this.#forget(stream)
    }
  }

  /** Takes an event, or the end of a stream; false for a channel that nobody knows. */
  receive(message: StreamEvent | Answer): boolean {
    const streams = this.#byChannel.get(message.eid)
    if (!streams) return false
    for (const stream of [...streams]) {
      if ('seq' in message) this.#event(stream, message)
      else if (message.error === STREAM_CLOSED) {
        const { reason } = (message.data ?? {}) as { reason?: unknown }
        this.#ended(stream, typeof reason === 'string' ? reason : 'unknown')
      }
    }
    return true
  }

  /** A new connection. `userChanged`: a place in the last user's stream is none in this user's. */
  welcome(userChanged: boolean): void {
    for (const stream of this.#streams.values()) {
      if (userChanged) {
        stream.seq = null
        stream.snapshot = null
        for (const follower of stream.followers) follower.seq = null
      }
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
      if (stream.followers.size === 0) this.#streams.delete(stream.key)
    }
  }

  /** Ends every stream. */
  close(): void {
    this.drop()
    for (const stream of [...this.#streams.values()]) this.#ended(stream, 'closed')
  }

  /** Gives a new listener its first value: the snapshot that is here if it is still the newest, else a new one. */
  #welcomeFollower(stream: Stream, follower: Follower): void {
    if (follower.seq !== null || !stream.followers.has(follower)) return
    const { snapshot } = stream
    if (stream.live && snapshot && snapshot.seq >= (stream.seq ?? 0)) {
      stream.giveSnapshot(follower, snapshot.value, { kind: 'snapshot', seq: snapshot.seq })
    } else this.#open(stream)
  }

  #forget(stream: Stream): void {
    clearTimeout(stream.retry)
    if (this.#streams.get(stream.key) === stream) this.#streams.delete(stream.key)
    this.#detach(stream)
  }

  /** Takes no more events for `stream`. Leaves a channel that no stream follows, unless the server has ended it. */
  #detach(stream: Stream, isEnded = false): void {
    const { channel } = stream
    stream.channel = null
    stream.live = false
    const streams = channel === null ? undefined : this.#byChannel.get(channel)
    if (channel === null || !streams?.delete(stream) || streams.size > 0) return
    this.#byChannel.delete(channel)
    if (isEnded) return
    this.#leaving.set(channel, stream.type)
    this.#leave(stream.type)
  }

  #leave(type: string): void {
    for (const stream of this.#streams.values()) if (stream.opening && stream.type === type) return
    for (const [channel, of] of this.#leaving) {
      if (of !== type) continue
      this.#leaving.delete(channel)
      if (this.#byChannel.has(channel)) continue
      // If the socket is lost, its subscriptions are gone too.
      this.#requests.pinned('rpc.unsubscribe', { channel }, ignore, ignore)
    }
  }

  #open(stream: Stream): void {
    if (stream.opening || stream.retry !== undefined || !this.#connection.isOpen) return
    stream.opening = true
    const epoch = this.#epoch
    // A live stream is opened again for a new listener, which wants all of it.
    const isFresh = stream.live || stream.seq === null
    const input = isFresh ? stream.input : { ...stream.input, since: stream.seq }
    const settle = (then: () => void) => {
      if (epoch !== this.#epoch) return
      stream.opening = false
      then()
      this.#leave(stream.type)
    }
    this.#requests.pinned(
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
    if (stream.followers.size === 0) {
      this.#forget(stream)
      return
    }
    // On a live stream the events up to the opening are still on their way to the other listeners.
    if (!wasLive) stream.seq = seq
    if (!missed && seq >= (stream.seq ?? seq)) stream.snapshot = { value: opening.snapshot, seq }
    for (const follower of stream.followers) {
      const isNew = follower.seq === null
      if (!isNew && wasLive) continue
      if (!missed) {
        stream.giveSnapshot(follower, opening.snapshot, { kind: 'snapshot', seq, ...(gap && { gap }) })
      } else if (!isNew || isFresh) {
        for (const event of missed) stream.give(follower, event.data, event.seq, 'missed')
        if (stream.followers.has(follower)) follower.seq = seq
      }
      if (!isNew && fromSeq !== null && stream.followers.has(follower)) {
        const kind = missed ? 'missed' : 'snapshot'
        callListener(() => follower.listener.healed?.({ kind, fromSeq, seq, gap: gap ?? false }))
      }
    }
    if ([...stream.followers].some(({ seq }) => seq === null)) this.#open(stream)
  }

  #failed(stream: Stream, error: RallyError): void {
    if (stream.followers.size === 0) this.#forget(stream)
    else if (error.temporary) {
      const waitMs = Math.max(error.retryAfterMs ?? 0, backoffMs(stream.failures++, this.#backoff))
      stream.retry = setTimeout(() => {
        stream.retry = undefined
        this.#open(stream)
      }, waitMs)
    } else {
      const followers = [...stream.followers].filter(({ seq }) => !stream.live || seq === null)
      for (const follower of followers) stream.followers.delete(follower)
      if (stream.followers.size === 0) this.#forget(stream)
      for (const follower of followers) this.#giveError(follower, error)
    }
  }

  #event(stream: Stream, { seq, data }: StreamEvent): void {
    if (!stream.live || stream.seq === null || (stream.reliable && seq <= stream.seq)) return
    if (stream.reliable && seq > stream.seq + 1) {
      stream.live = false
      this.#open(stream)
      return
    }
    stream.seq = Math.max(stream.seq, seq)
    if (stream.snapshot && seq > stream.snapshot.seq) stream.snapshot = null
    for (const follower of stream.followers) if (follower.seq !== null) stream.give(follower, data, seq, 'event')
  }

  #ended(stream: Stream, reason: string): void {
    this.#detach(stream, true)
    if (HEALED_BY_REOPENING.has(reason)) {
      this.#open(stream)
      return
    }
    this.#forget(stream)
    const error = new RallyError(STREAM_CLOSED, reason, { type: stream.type })
    for (const follower of [...stream.followers]) {
      stream.followers.delete(follower)
      if (follower.listener.end) callListener(() => follower.listener.end?.(reason))
      else if (reason !== 'closed') this.#giveError(follower, error)
    }
  }

  /** Each follower gets an error of its own, which leads to where it subscribed. */
  #giveError({ listener, site }: Follower, { code, message, ...details }: RallyError): void {
    const error = withCallSite(new RallyError(code, message, details), site)
    if (listener.error) callListener(() => listener.error?.(error))
    else this.#onError(error)
  }
}

/** For `JSON.stringify`: the keys of an object in order, so that equal inputs have one text. */
function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
