/**
 * A frame of a server in mode `inputs`. docs/protocol.md, "Binary frames", describes every byte of these frames and of
 * those of clients. Every one begins with `stream * 4 + kind` as a varint.
 */
export type LiveBinaryFrame =
  | (LiveChange & Input)
  /** `hash` is the `hashState` of the state at `tick`, which no input can change any more. */
  | { readonly kind: 'keyframe'; readonly stream: number; readonly tick: number; readonly hash: number }
  /** `tick` is the number of steps of the match. */
  | { readonly kind: 'end'; readonly stream: number; readonly tick: number; readonly status: LiveEndStatus }

/** The input of a seat: its index in the game's table of inputs, or the input itself. */
type Input = { readonly kind: 'input'; readonly index: number } | { readonly kind: 'json'; readonly input: unknown }

interface LiveChange {
  readonly stream: number
  readonly tickByte: number
  readonly seat: number
  /** By how many ticks the input was moved from the tick that its sender named: 0 for none, 255 for that or more. */
  readonly moved: number
}

/** One input as a client sends it. `tickWord`: the lower 16 bits of the tick that it is meant for. */
export type LiveInputFrame = Input & { readonly stream: number; readonly tickWord: number; readonly seat: number }

export type LiveEndStatus = 'finished' | 'aborted'

type EncodedFrame = Uint8Array<ArrayBuffer>

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
const END_STATUS: readonly (LiveEndStatus | undefined)[] = [undefined, 'finished', 'aborted']
const MAX_MOVED = 255
const MAX_VARINT = 2 ** 32 - 1
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** A client's input, by its place in the game's table. @throws RangeError for a seat or an index that no frame can carry */
export function encodeInput(stream: number, tick: number, seat: number, index: number): EncodedFrame {
  return frameOf(stream, INPUT, [tick, tick >>> 8, entryOf(seat, index)])
}

/** A client's input that is not in the table. */
export function encodeJsonInput(stream: number, tick: number, seat: number, input: unknown): EncodedFrame {
  return frameOf(stream, JSON_INPUT, [tick, tick >>> 8, seatOf(seat)], encoder.encode(JSON.stringify(input)))
}

/** The same as a server's change. @throws RangeError for a seat or an index that no frame can carry. */
export function encodeChange(stream: number, tick: number, seat: number, index: number, moved = 0): EncodedFrame {
  const entry = entryOf(seat, index)
  return frameOf(stream, INPUT, moved > 0 ? [tick, entry, Math.min(moved, MAX_MOVED)] : [tick, entry])
}

/** A server's change to an input that is not in the table. */
export function encodeJsonChange(stream: number, tick: number, seat: number, input: unknown, moved = 0): EncodedFrame {
  const head = [tick, seatOf(seat), Math.min(moved, MAX_MOVED)]
  return frameOf(stream, JSON_INPUT, head, encoder.encode(JSON.stringify(input)))
}

/** `hash` is the `hashState` of the state at `tick`. */
export function encodeKeyframe(stream: number, tick: number, hash: number): EncodedFrame {
  return tickFrame(stream, KEYFRAME, tick, [hash, hash >>> 8, hash >>> 16, hash >>> 24])
}

/** The match is over after `tick` steps. */
export function encodeEnd(stream: number, tick: number, status: LiveEndStatus): EncodedFrame {
  return tickFrame(stream, END, tick, [END_STATUS.indexOf(status)])
}

/** Reads a frame from a client; null if it is not one. Never throws. Keeps nothing of `bytes`. */
export function decodeInput(bytes: Uint8Array): LiveInputFrame | null {
  const header = readVarint(bytes, 0)
  const at = varintSize(header)
  if (header < 0 || bytes.length < at + 3) return null
  const [low = 0, high = 0, entry = 0] = bytes.subarray(at)
  const head = { stream: Math.floor(header / 4), tickWord: low | (high << 8) }
  if (header % 4 === INPUT) {
    return bytes.length === at + 3 ? { kind: 'input', ...head, seat: entry >> 4, index: entry & 15 } : null
  }
  const json = header % 4 === JSON_INPUT ? readJson(bytes.subarray(at + 3)) : null
  return json && { kind: 'json', ...head, seat: entry, input: json.value }
}

/** The `eid` of the answer to a refused input in a binary frame. The frame itself has no `eid`. */
export function inputEid(stream: number, seat: number): string {
  return `input/${stream}/${seat}`
}

/** The same for an encoded frame, without reading the input; `input` if it is not a frame. */
export function eidOfInput(bytes: Uint8Array): string {
  const header = readVarint(bytes, 0)
  const entry = bytes[varintSize(header) + 2]
  const kind = header % 4
  if (header < 0 || entry === undefined || (kind !== INPUT && kind !== JSON_INPUT)) return 'input'
  return inputEid(Math.floor(header / 4), kind === INPUT ? entry >> 4 : entry)
}

/** Reads a frame from a server; null if it is not one. Never throws. Keeps nothing of `bytes`. */
export function decodeLiveFrame(bytes: Uint8Array): LiveBinaryFrame | null {
  const header = readVarint(bytes, 0)
  if (header < 0) return null
  const stream = Math.floor(header / 4)
  const at = varintSize(header)
  const kind = header % 4
  if (kind === INPUT) {
    const [tickByte = 0, entry = 0, moved = 0] = bytes.subarray(at)
    // A frame that says "moved by 0" is invalid: there is one way to write each frame.
    if (bytes.length !== at + (moved > 0 ? 3 : 2)) return null
    return { kind: 'input', stream, tickByte, seat: entry >> 4, index: entry & 15, moved }
  }
  if (kind === JSON_INPUT) {
    const [tickByte = 0, seat = 0, moved = 0] = bytes.subarray(at)
    const json = bytes.length < at + 3 ? null : readJson(bytes.subarray(at + 3))
    return json && { kind: 'json', stream, tickByte, seat, moved, input: json.value }
  }
  const tick = readVarint(bytes, at)
  const body = bytes.subarray(at + varintSize(tick))
  if (tick < 0) return null
  if (kind === KEYFRAME) {
    if (body.length !== 4) return null
    return { kind: 'keyframe', stream, tick, hash: new DataView(body.buffer, body.byteOffset).getUint32(0, true) }
  }
  const status = END_STATUS[body[0] ?? 0]
  return body.length === 1 && status ? { kind: 'end', stream, tick, status } : null
}

/** The stream number of a frame; -1 if it is not one. */
export function streamOf(bytes: Uint8Array): number {
  return Math.floor(readVarint(bytes, 0) / 4)
}

/** The frame with another stream number; the same object if it has that number already. */
export function withStream(frame: Uint8Array, stream: number): Uint8Array {
  const before = readVarint(frame, 0)
  const kind = before % 4
  if (before < 0 || before === stream * 4 + kind) return frame
  return frameOf(stream, kind, [], frame.subarray(varintSize(before)))
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

/** The value of UTF-8 JSON; null if it is not JSON, or too long. */
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

const NOTHING = new Uint8Array()

/** A header, a few bytes, and the rest. */
function frameOf(stream: number, kind: number, head: readonly number[], rest: Uint8Array = NOTHING): EncodedFrame {
  const header = stream * 4 + kind
  const at = varintSize(header)
  const bytes = new Uint8Array(at + head.length + rest.length)
  writeVarint(bytes, 0, header)
  bytes.set(head, at)
  bytes.set(rest, at + head.length)
  return bytes
}

function tickFrame(stream: number, kind: number, tick: number, rest: readonly number[]): EncodedFrame {
  const bytes = new Uint8Array(varintSize(tick) + rest.length)
  bytes.set(rest, writeVarint(bytes, 0, tick))
  return frameOf(stream, kind, [], bytes)
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

/** How many bytes a number takes as an unsigned LEB128 varint: seven bits a byte, least significant first. */
function varintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  return value < 0x1000_0000 ? 4 : 5
}

/** Answers the position of the next byte. */
function writeVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start
  let left = value
  while (left >= 0x80) {
    bytes[at++] = (left & 0x7f) | 0x80
    left = Math.floor(left / 0x80)
  }
  bytes[at++] = left
  return at
}

/** At most 32 bits, without padding; -1 for anything else. */
function readVarint(bytes: Uint8Array, start: number): number {
  let value = 0
  let unit = 1
  for (let at = start; at < start + 5; at++) {
    const byte = bytes[at]
    if (byte === undefined) return -1
    value += (byte & 0x7f) * unit
    unit *= 0x80
    if (byte < 0x80) return (byte === 0 && at > start) || value > MAX_VARINT ? -1 : value
  }
  return -1
}
