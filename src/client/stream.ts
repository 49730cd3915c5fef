import { report } from './errors.ts'
import type { AnyListener, StreamInfo } from './types.ts'

/** One listener, and how far it has come. */
export interface Entry {
  readonly listener: AnyListener
  /** The last value's `seq`; null until the first value. */
  seq: number | null
}

/** One subscription at the server, whoever listens here: the same type with the same input. */
export interface Stream {
  readonly key: string
  readonly type: string
  readonly input: Readonly<Record<string, unknown>>
  readonly entries: Set<Entry>
  /** Known once opened on the current connection. */
  channel: string | null
  reliable: boolean
  /** Events are taken. Not so between a gap and its healing. */
  live: boolean
  opening: boolean
  /** The last event or opening; null before the first. */
  seq: number | null
  /** The state at `seq`, while no event has come since: what a later listener is given. */
  snapshot: { readonly value: unknown; readonly seq: number } | null
  failures: number
  retry: ReturnType<typeof setTimeout> | undefined
}

export function createStream(key: string, type: string, input: Stream['input']): Stream {
  return {
    key,
    type,
    input,
    entries: new Set(),
    channel: null,
    reliable: false,
    live: false,
    opening: false,
    seq: null,
    snapshot: null,
    failures: 0,
    retry: undefined,
  }
}

/** Hands an event to a listener that has not had it, and is still there. */
export function give(stream: Stream, entry: Entry, value: unknown, seq: number, kind: StreamInfo['kind']): void {
  if (!stream.entries.has(entry) || (entry.seq !== null && seq <= entry.seq)) return
  entry.seq = seq
  call(() => entry.listener.next(value, { kind, seq }))
}

/** Hands all there is up to `info.seq` to a listener that is still there. */
export function giveSnapshot(stream: Stream, entry: Entry, value: unknown, info: StreamInfo): void {
  if (!stream.entries.has(entry)) return
  entry.seq = info.seq
  const { listener } = entry
  call(() => (listener.snapshot ? listener.snapshot(value, info) : listener.next(value, info)))
}

/** The next opening starts from nothing. */
export function forgetPlace(stream: Stream): void {
  stream.seq = null
  stream.snapshot = null
  for (const entry of stream.entries) entry.seq = null
}

/** Calls an application's listener, whose exceptions are its own affair. */
export function call(listener: () => void): void {
  try {
    listener()
  } catch (error) {
    report(error)
  }
}
