// What nodes write to each other over Redis: batches of messages to one node, and beacons to all.
import { z } from 'zod'
import type { BusMessage } from './bus.ts'

/** The first byte of every frame. Nodes of another version are not understood, and not part of the cluster. */
const VERSION = 1
const BATCH = 0
const BEACON = 1

/** `published` goes to subscribers of a topic, `direct` to those who receive, `control` is the bus' own. */
export type Kind = 'published' | 'direct' | 'control'
const KINDS: readonly Kind[] = ['published', 'direct', 'control']
const BINARY = 0x80

export interface Entry {
  readonly kind: Kind
  readonly topic: string
  readonly message: BusMessage
}

/** What one node sends to another in one turn of its event loop. */
export interface Batch {
  readonly from: string
  /** Which of the sender's lanes to this node it is, and the number of the batch in it. */
  readonly epoch: number
  readonly number: number
  readonly entries: readonly Entry[]
}

/** What each node tells all others a few times a second. */
export type Beacon = z.infer<typeof Beacon>
const Beacon = z.object({
  node: z.string(),
  /** The version of what it listens to. */
  version: z.number(),
  /** Its lanes to other nodes: epoch, and the number of the last batch. */
  lanes: z.record(z.string(), z.tuple([z.number(), z.number()])),
  isLeaving: z.boolean(),
})

const Topics = z.array(z.string())

/** What nodes tell each other about their topics. Versions count the changes. */
export type Control = z.infer<typeof Control>
export const Control = z.discriminatedUnion('kind', [
  /** All topics. `mayHaveMissed`: this node has published before it knew the other. `asks` for all of the other's. */
  z.object({
    kind: z.literal('all'),
    version: z.number(),
    topics: Topics,
    mayHaveMissed: z.boolean(),
    asks: z.boolean(),
  }),
  /** What changed since the version before. */
  z.object({ kind: z.literal('change'), version: z.number(), added: Topics, removed: Topics }),
  /** From now on messages of these topics are sent to the other. `mayHaveMissed` repeats what `all` said. */
  z.object({ kind: z.literal('knows'), version: z.number(), mayHaveMissed: z.boolean() }),
])

export function encodeControl(control: Control): Buffer {
  return encodeEntry('control', '', { seq: 0, payload: JSON.stringify(control) })
}

/** Kind, length and text of the topic, seq, length and bytes of the payload. */
export function encodeEntry(kind: Kind, topic: string, { seq, payload }: BusMessage): Buffer {
  const isText = typeof payload === 'string'
  const topicBytes = Buffer.byteLength(topic)
  const payloadBytes = isText ? Buffer.byteLength(payload) : payload.length
  const bytes = Buffer.allocUnsafe(1 + 4 + topicBytes + 8 + 4 + payloadBytes)
  let at = bytes.writeUInt8(KINDS.indexOf(kind) | (isText ? 0 : BINARY))
  at = bytes.writeUInt32LE(topicBytes, at)
  at += bytes.write(topic, at)
  at = bytes.writeDoubleLE(seq, at)
  at = bytes.writeUInt32LE(payloadBytes, at)
  if (isText) bytes.write(payload, at)
  else bytes.set(payload, at)
  return bytes
}

export function encodeBatch(from: string, epoch: number, number: number, entries: readonly Buffer[]): Buffer {
  const fromBytes = Buffer.byteLength(from)
  const head = Buffer.allocUnsafe(2 + 4 + fromBytes + 8 + 8)
  let at = head.writeUInt8(VERSION)
  at = head.writeUInt8(BATCH, at)
  at = head.writeUInt32LE(fromBytes, at)
  at += head.write(from, at)
  at = head.writeDoubleLE(epoch, at)
  head.writeDoubleLE(number, at)
  return Buffer.concat([head, ...entries])
}

export function encodeBeacon(beacon: Beacon): Buffer {
  return Buffer.concat([Buffer.of(VERSION, BEACON), Buffer.from(JSON.stringify(beacon))])
}

/** Null for a frame of another version. @throws Error when the bytes are no frame */
export function decode(frame: Uint8Array): Batch | Beacon | null {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  if (bytes.readUInt8(0) !== VERSION) return null
  if (bytes.readUInt8(1) === BEACON) return Beacon.parse(JSON.parse(bytes.toString('utf8', 2)))
  let at = 2
  const take = (length: number) => {
    at += length
    if (at > bytes.length) throw new RangeError('a frame ends too early')
    return at - length
  }
  const block = () => {
    const length = bytes.readUInt32LE(take(4))
    const start = take(length)
    return bytes.subarray(start, start + length)
  }
  const from = block().toString()
  const epoch = bytes.readDoubleLE(take(8))
  const number = bytes.readDoubleLE(take(8))
  const entries: Entry[] = []
  while (at < bytes.length) {
    const head = bytes.readUInt8(take(1))
    const kind = KINDS[head & ~BINARY]
    if (kind === undefined) throw new RangeError('an entry of no kind')
    const topic = block().toString()
    const seq = bytes.readDoubleLE(take(8))
    const payload = block()
    entries.push({ kind, topic, message: { seq, payload: (head & BINARY) === 0 ? payload.toString() : payload } })
  }
  return { from, epoch, number, entries }
}
