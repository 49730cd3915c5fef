import { readVarint, varintSize, writeVarint } from './varint.ts'

/**
 * The binary frames of a live match in mode `inputs`. Every frame begins with `stream * 4 + kind` as an unsigned LEB128
 * varint (seven bits a byte, least significant first, the top bit set on all but the last byte, no padding).
 *
 * | kind | name | after the header |
 * |---|---|---|
 * | 0 | change | `tick & 255`, then `seat << 4 \| index`; if it was moved, by how many ticks |
 * | 1 | JSON change | `tick & 255`, the seat, by how many ticks it was moved, then the input as UTF-8 JSON to the end, of at most `MAX_INPUT_LENGTH` characters |
 * | 2 | keyframe | the tick as a varint, then the hash of its final state, 32 bits little-endian |
 * | 3 | end | the last tick as a varint, then 1 for finished or 2 for aborted |
 *
 * Clients send kinds 0 and 1, with the lower 16 bits of the tick, little-endian, in place of `tick & 255`, and without a
 * byte for how far it was moved: an input may be late by more than 8 bits can tell.
 */
export type LiveBinaryFrame =
  | (LiveChangeFrame & {
      readonly kind: 'input'
      /** The place in the game's table. */
      readonly index: number
    })
  | (LiveChangeFrame & { readonly kind: 'json'; readonly input: unknown })
  | {
      readonly kind: 'keyframe'
      readonly stream: number
      readonly tick: number
      /** `hashState` of the state at `tick`, which no input can change any more. */
      readonly hash: number
    }
  | {
      readonly kind: 'end'
      readonly stream: number
      /** Steps that the match had. */
      readonly tick: number
      readonly status: LiveEndStatus
    }

interface LiveChangeFrame {
  readonly stream: number
  readonly tickByte: number
  readonly seat: number
  /**
   * How many ticks later than its sender named it counts, so that the sender knows which of its inputs this answers; 0
   * for none, 255 for that or more.
   */
  readonly moved: number
}

/** One input as a client sends it. */
export type LiveInputFrame = {
  readonly stream: number
  /** The lower 16 bits of the tick that it is meant for. */
  readonly tickWord: number
  readonly seat: number
} & (
  | {
      readonly kind: 'input'
      /** The place in the game's table. */
      readonly index: number
    }
  | { readonly kind: 'json'; readonly input: unknown }
)

export type LiveEndStatus = 'finished' | 'aborted'

/** Seats and places in a table of inputs that a frame can name. */
export const MAX_SEATS = 16
export const MAX_TABLE_INPUTS = 16
/** An input that is sent as JSON may be this long, in UTF-16 units. */
export const MAX_INPUT_LENGTH = 1024
/** Streams have 30 bits, so that a header has at most five bytes. */
export const MAX_STREAM = 2 ** 30 - 1

const INPUT = 0
const JSON_INPUT = 1
const KEYFRAME = 2
const END = 3
const FINISHED = 1
const ABORTED = 2
const MAX_MOVED = 255
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/**
 * A client's input: from the step of `tick` on, `seat` does what stands at `index` in the game's table of inputs.
 *
 * @throws RangeError for a seat or an index that no frame can carry.
 */
export function encodeInput(stream: number, tick: number, seat: number, index: number): Uint8Array<ArrayBuffer> {
  const [bytes, at] = begin(stream, INPUT, 3)
  bytes[at] = tick
  bytes[at + 1] = tick >>> 8
  bytes[at + 2] = entryOf(seat, index)
  return bytes
}

/** The same for an input that no table has. */
export function encodeJsonInput(stream: number, tick: number, seat: number, input: unknown): Uint8Array<ArrayBuffer> {
  return jsonFrame(stream, [tick, tick >>> 8, seatOf(seat)], input)
}

/**
 * The server's word: from the step of `tick` on, `seat` does what stands at `index` in the game's table of inputs.
 *
 * @throws RangeError for a seat or an index that no frame can carry.
 */
export function encodeChange(
  stream: number,
  tick: number,
  seat: number,
  index: number,
  moved = 0,
): Uint8Array<ArrayBuffer> {
  const [bytes, at] = begin(stream, INPUT, moved > 0 ? 3 : 2)
  bytes[at] = tick
  bytes[at + 1] = entryOf(seat, index)
  if (moved > 0) bytes[at + 2] = Math.min(moved, MAX_MOVED)
  return bytes
}

/** The same for an input that no table has. */
export function encodeJsonChange(
  stream: number,
  tick: number,
  seat: number,
  input: unknown,
  moved = 0,
): Uint8Array<ArrayBuffer> {
  return jsonFrame(stream, [tick, seatOf(seat), Math.min(moved, MAX_MOVED)], input)
}

/** `hash` is the `hashState` of the state at `tick`. */
export function encodeKeyframe(stream: number, tick: number, hash: number): Uint8Array<ArrayBuffer> {
  const [bytes, start] = begin(stream, KEYFRAME, varintSize(tick) + 4)
  const at = writeVarint(bytes, start, tick)
  new DataView(bytes.buffer).setUint32(at, hash, true)
  return bytes
}

/** The match is over after `tick` steps. */
export function encodeEnd(stream: number, tick: number, status: LiveEndStatus): Uint8Array<ArrayBuffer> {
  const [bytes, start] = begin(stream, END, varintSize(tick) + 1)
  const at = writeVarint(bytes, start, tick)
  bytes[at] = status === 'finished' ? FINISHED : ABORTED
  return bytes
}

/** Reads a frame from a client; null for anything that is none. Never throws. Keeps nothing of `bytes`. */
export function decodeInput(bytes: Uint8Array): LiveInputFrame | null {
  const header = readVarint(bytes, 0)
  if (header < 0) return null
  const stream = Math.floor(header / 4)
  const at = varintSize(header)
  if (bytes.length < at + 3) return null
  const [low = 0, high = 0, entry = 0] = bytes.subarray(at)
  const tickWord = low | (high << 8)
  const kind = header % 4
  if (kind === INPUT) {
    return bytes.length === at + 3 ? { kind: 'input', stream, tickWord, seat: entry >> 4, index: entry & 15 } : null
  }
  const json = kind === JSON_INPUT ? readJson(bytes.subarray(at + 3)) : null
  return json && { kind: 'json', stream, tickWord, seat: entry, input: json.value }
}

/** Whose frame a client's input is, without the input; null for what is none. Never throws. */
function addresseeOf(bytes: Uint8Array): { readonly stream: number; readonly seat: number } | null {
  const header = readVarint(bytes, 0)
  if (header < 0) return null
  const entry = bytes[varintSize(header) + 2]
  const kind = header % 4
  if (entry === undefined || (kind !== INPUT && kind !== JSON_INPUT)) return null
  return { stream: Math.floor(header / 4), seat: kind === INPUT ? entry >> 4 : entry }
}

/** The `eid` of the answer to an input in a frame, which has none of its own: sent only when it is refused. */
export function inputEid(stream: number, seat: number): string {
  return `input/${stream}/${seat}`
}

/** The same of a frame as it came, of which the input itself is not read; `input` for what is none. */
export function eidOfInput(bytes: Uint8Array): string {
  const to = addresseeOf(bytes)
  return to ? inputEid(to.stream, to.seat) : 'input'
}

/** Reads a frame from a server; null for anything that is none. Never throws. Keeps nothing of `bytes`. */
export function decodeLiveFrame(bytes: Uint8Array): LiveBinaryFrame | null {
  const header = readVarint(bytes, 0)
  if (header < 0) return null
  const stream = Math.floor(header / 4)
  const at = varintSize(header)
  switch (header % 4) {
    case INPUT:
      return decodeChange(stream, bytes, at)
    case JSON_INPUT:
      return decodeJsonChange(stream, bytes, at)
    case KEYFRAME:
      return decodeKeyframe(stream, bytes, at)
    default:
      return decodeEnd(stream, bytes, at)
  }
}

/** The number of the stream alone, to find out whose frame this is; -1 for what is no frame. */
export function streamOf(bytes: Uint8Array): number {
  const header = readVarint(bytes, 0)
  return header < 0 ? -1 : Math.floor(header / 4)
}

/** The frame under another stream number; the very same if that is its own already. */
export function withStream(frame: Uint8Array, stream: number): Uint8Array {
  const before = readVarint(frame, 0)
  const header = stream * 4 + (before % 4)
  if (before < 0 || header === before) return frame
  const body = frame.subarray(varintSize(before))
  const bytes = new Uint8Array(varintSize(header) + body.length)
  bytes.set(body, writeVarint(bytes, 0, header))
  return bytes
}

/**
 * The whole tick that its lower `bits` (8 from a server, 16 from a client) stand for: of those that end in them, the
 * nearest to `near`, which the receiver knows; half of the range back, and half of it ahead. Never below 0.
 */
export function resolveTick(low: number, near: number, bits: 8 | 16 = 8): number {
  const range = 2 ** bits
  const tick = near + ((low - near + range / 2) & (range - 1)) - range / 2
  return tick < 0 ? tick + range : tick
}

function decodeChange(stream: number, bytes: Uint8Array, at: number): LiveBinaryFrame | null {
  const [tickByte = 0, entry = 0, moved = 0] = bytes.subarray(at)
  // Not moved by 0: there is one way to write a frame.
  if (bytes.length !== at + (moved > 0 ? 3 : 2)) return null
  return { kind: 'input', stream, tickByte, seat: entry >> 4, index: entry & 15, moved }
}

function decodeJsonChange(stream: number, bytes: Uint8Array, at: number): LiveBinaryFrame | null {
  if (bytes.length < at + 3) return null
  const [tickByte = 0, seat = 0, moved = 0] = bytes.subarray(at)
  const json = readJson(bytes.subarray(at + 3))
  return json && { kind: 'json', stream, tickByte, seat, moved, input: json.value }
}

/** The value that UTF-8 JSON stands for; null for what is none, or too long. */
function readJson(bytes: Uint8Array): { readonly value: unknown } | null {
  // One character is three bytes at most in UTF-8, of which a pair of surrogates takes four.
  if (bytes.length > 3 * MAX_INPUT_LENGTH) return null
  try {
    const json = decoder.decode(bytes)
    return json.length > MAX_INPUT_LENGTH ? null : { value: JSON.parse(json) }
  } catch {
    return null
  }
}

function decodeKeyframe(stream: number, bytes: Uint8Array, start: number): LiveBinaryFrame | null {
  const tick = readVarint(bytes, start)
  if (tick < 0) return null
  const at = start + varintSize(tick)
  if (bytes.length !== at + 4) return null
  const hash = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0, true)
  return { kind: 'keyframe', stream, tick, hash }
}

function decodeEnd(stream: number, bytes: Uint8Array, start: number): LiveBinaryFrame | null {
  const tick = readVarint(bytes, start)
  if (tick < 0) return null
  const at = start + varintSize(tick)
  const status = bytes[at]
  if (bytes.length !== at + 1 || (status !== FINISHED && status !== ABORTED)) return null
  return { kind: 'end', stream, tick, status: status === FINISHED ? 'finished' : 'aborted' }
}

/** A frame of a header and `length` more bytes, and where those begin. */
function begin(stream: number, kind: number, length: number): [bytes: Uint8Array<ArrayBuffer>, at: number] {
  const header = stream * 4 + kind
  const at = varintSize(header)
  const bytes = new Uint8Array(at + length)
  writeVarint(bytes, 0, header)
  return [bytes, at]
}

/** A JSON input or change: three bytes of its own, and the input. */
function jsonFrame(stream: number, bytesBefore: readonly number[], input: unknown): Uint8Array<ArrayBuffer> {
  const json = encoder.encode(JSON.stringify(input))
  const [bytes, at] = begin(stream, JSON_INPUT, bytesBefore.length + json.length)
  bytes.set(bytesBefore, at)
  bytes.set(json, at + bytesBefore.length)
  return bytes
}

function entryOf(seat: number, index: number): number {
  if (index >>> 0 !== index || index >= MAX_TABLE_INPUTS)
    throw new RangeError(`a frame cannot carry input ${index} of a table`)
  return (seatOf(seat) << 4) | index
}

function seatOf(seat: number): number {
  if (seat >>> 0 !== seat || seat >= MAX_SEATS) throw new RangeError(`a frame cannot carry seat ${seat}`)
  return seat
}
