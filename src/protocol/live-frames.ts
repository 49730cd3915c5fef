/**
 * The binary frames of a live match in mode `inputs`. Every frame begins with `stream * 4 + kind` as an unsigned LEB128
 * varint (seven bits a byte, least significant first, the top bit set on all but the last byte, no padding).
 *
 * | kind | name | after the header |
 * |---|---|---|
 * | 0 | input | `tick & 255`, then `seat << 4 \| index`; if it was moved, by how many ticks |
 * | 1 | JSON input | `tick & 255`, the seat, by how many ticks it was moved, then the input as UTF-8 JSON to the end, of at most `MAX_INPUT_LENGTH` characters |
 * | 2 | keyframe | the tick as a varint, then the hash of its final state, 32 bits little-endian |
 * | 3 | end | the last tick as a varint, then 1 for finished or 2 for aborted |
 *
 * Clients send kinds 0 and 1, not moved.
 */
export type LiveBinaryFrame =
  | (LiveInputFrame & {
      readonly kind: 'input'
      /** The place in the game's table. */
      readonly index: number
    })
  | (LiveInputFrame & { readonly kind: 'json'; readonly input: unknown })
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

interface LiveInputFrame {
  readonly stream: number
  readonly tickByte: number
  readonly seat: number
  /**
   * How many ticks later than its sender named it counts, so that the sender knows which of its inputs this answers; 0
   * for none, 255 for that or more.
   */
  readonly moved: number
}

export type LiveEndStatus = 'finished' | 'aborted'

/** Seats and inputs that one byte can name: games with more are sent as JSON. */
export const MAX_CODED_SEATS = 16
export const MAX_CODED_INPUTS = 16
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
const MAX_VARINT = 2 ** 32 - 1
const MAX_MOVED = 255

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })

/** From the step of `tick` on, `seat` does what stands at `index` in the game's table of inputs. */
export function encodeInput(
  stream: number,
  tick: number,
  seat: number,
  index: number,
  moved = 0,
): Uint8Array<ArrayBuffer> {
  const header = stream * 4 + INPUT
  const size = varintSize(header)
  const bytes = new Uint8Array(size + (moved > 0 ? 3 : 2))
  writeVarint(bytes, 0, header)
  bytes[size] = tick
  bytes[size + 1] = (seat << 4) | index
  if (moved > 0) bytes[size + 2] = Math.min(moved, MAX_MOVED)
  return bytes
}

/** The same for an input that no table has. */
export function encodeJsonInput(
  stream: number,
  tick: number,
  seat: number,
  input: unknown,
  moved = 0,
): Uint8Array<ArrayBuffer> {
  const json = encoder.encode(JSON.stringify(input))
  const header = stream * 4 + JSON_INPUT
  const size = varintSize(header)
  const bytes = new Uint8Array(size + 3 + json.length)
  writeVarint(bytes, 0, header)
  bytes[size] = tick
  bytes[size + 1] = seat
  bytes[size + 2] = Math.min(moved, MAX_MOVED)
  bytes.set(json, size + 3)
  return bytes
}

/** `hash` is the `hashState` of the state at `tick`. */
export function encodeKeyframe(stream: number, tick: number, hash: number): Uint8Array<ArrayBuffer> {
  const header = stream * 4 + KEYFRAME
  const bytes = new Uint8Array(varintSize(header) + varintSize(tick) + 4)
  const at = writeVarint(bytes, writeVarint(bytes, 0, header), tick)
  bytes[at] = hash
  bytes[at + 1] = hash >>> 8
  bytes[at + 2] = hash >>> 16
  bytes[at + 3] = hash >>> 24
  return bytes
}

/** The match is over after `tick` steps. */
export function encodeEnd(stream: number, tick: number, status: LiveEndStatus): Uint8Array<ArrayBuffer> {
  const header = stream * 4 + END
  const bytes = new Uint8Array(varintSize(header) + varintSize(tick) + 1)
  const at = writeVarint(bytes, writeVarint(bytes, 0, header), tick)
  bytes[at] = status === 'finished' ? FINISHED : ABORTED
  return bytes
}

/** Reads a frame; null for anything that is none. Never throws. `bytes` must not change while the result is in use. */
export function decodeLiveFrame(bytes: Uint8Array): LiveBinaryFrame | null {
  const header = readVarint(bytes, 0)
  if (header < 0) return null
  const stream = Math.floor(header / 4)
  const at = varintSize(header)
  switch (header % 4) {
    case INPUT:
      return decodeInput(stream, bytes, at)
    case JSON_INPUT:
      return decodeJson(stream, bytes, at)
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

/**
 * The whole tick that `tickByte` stands for: of those that end in it, the nearest to `near`, which the receiver knows;
 * good for 128 ticks back and 127 ahead. Never below 0.
 */
export function resolveTick(tickByte: number, near: number): number {
  const tick = near + ((tickByte - near + 128) & 255) - 128
  return tick < 0 ? tick + 256 : tick
}

function decodeInput(stream: number, bytes: Uint8Array, at: number): LiveBinaryFrame | null {
  const [tickByte = 0, entry = 0, moved = 0] = bytes.subarray(at)
  // Not moved by 0: there is one way to write a frame.
  if (bytes.length !== at + (moved > 0 ? 3 : 2)) return null
  return { kind: 'input', stream, tickByte, seat: entry >> 4, index: entry & 15, moved }
}

function decodeJson(stream: number, bytes: Uint8Array, at: number): LiveBinaryFrame | null {
  if (bytes.length < at + 4) return null
  const [tickByte = 0, seat = 0, moved = 0] = bytes.subarray(at)
  try {
    const json = decoder.decode(bytes.subarray(at + 3))
    if (json.length > MAX_INPUT_LENGTH) return null
    const input: unknown = JSON.parse(json)
    return { kind: 'json', stream, tickByte, seat, moved, input }
  } catch {
    return null
  }
}

function decodeKeyframe(stream: number, bytes: Uint8Array, start: number): LiveBinaryFrame | null {
  const tick = readVarint(bytes, start)
  if (tick < 0) return null
  const at = start + varintSize(tick)
  if (bytes.length !== at + 4) return null
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at)
  return { kind: 'keyframe', stream, tick, hash: (a | (b << 8) | (c << 16) | (d << 24)) >>> 0 }
}

function decodeEnd(stream: number, bytes: Uint8Array, start: number): LiveBinaryFrame | null {
  const tick = readVarint(bytes, start)
  if (tick < 0) return null
  const at = start + varintSize(tick)
  const status = bytes[at]
  if (bytes.length !== at + 1 || (status !== FINISHED && status !== ABORTED)) return null
  return { kind: 'end', stream, tick, status: status === FINISHED ? 'finished' : 'aborted' }
}

function varintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x4000) return 2
  if (value < 0x20_0000) return 3
  return value < 0x1000_0000 ? 4 : 5
}

/** Answers where the next byte goes. */
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
