import type { Direction, FaultProxy } from '../support/fault-proxy.ts'

/** Bytes of TCP payload by what they carried: frames with their WebSocket headers, one entry a message type. */
export class WireCount {
  readonly bytes = new Map<string, number>()
  readonly frames = new Map<string, number>()
  readonly #readers = new Map<string, FrameReader>()

  /** Counts what comes through from now on. Has to see connections from their beginning. */
  constructor(proxy: FaultProxy) {
    proxy.tap = (direction, chunk, connection) => {
      const key = `${direction} ${connection}`
      const reader = this.#readers.get(key) ?? new FrameReader()
      this.#readers.set(key, reader)
      for (const { name, length } of reader.read(chunk)) this.#add(`${direction} ${name}`, length)
    }
  }

  reset(): void {
    this.bytes.clear()
    this.frames.clear()
  }

  /** Bytes so far, both ways, of what `holds` is said of. */
  sum(holds: (direction: Direction, name: string) => boolean = () => true): number {
    let sum = 0
    for (const [key, length] of this.bytes) {
      const [direction, name = ''] = key.split(' ', 2)
      if (holds(direction === 'up' ? 'up' : 'down', name)) sum += length
    }
    return sum
  }

  #add(key: string, length: number): void {
    this.bytes.set(key, (this.bytes.get(key) ?? 0) + length)
    this.frames.set(key, (this.frames.get(key) ?? 0) + 1)
  }
}

const END_OF_HEAD = '\r\n\r\n'

/** Cuts one direction of a connection into WebSocket frames (RFC 6455 section 5.2). */
class FrameReader {
  #rest = Buffer.alloc(0)
  #isUpgraded = false

  read(chunk: Buffer): { name: string; length: number }[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    const found: { name: string; length: number }[] = []
    if (!this.#isUpgraded) {
      const end = this.#rest.indexOf(END_OF_HEAD)
      if (end < 0) return found
      const length = end + END_OF_HEAD.length
      found.push({ name: 'http', length })
      this.#rest = this.#rest.subarray(length)
      this.#isUpgraded = true
    }
    for (let frame = frameIn(this.#rest); frame; frame = frameIn(this.#rest)) {
      found.push(frame)
      this.#rest = this.#rest.subarray(frame.length)
    }
    return found
  }
}

/** The first whole frame: what it carries, and its length with the header. */
function frameIn(bytes: Buffer): { name: string; length: number } | null {
  if (bytes.length < 2) return null
  const opcode = (bytes[0] ?? 0) & 15
  const isMasked = (bytes[1] ?? 0) >= 128
  const short = (bytes[1] ?? 0) & 127
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0
  const head = 2 + extra + (isMasked ? 4 : 0)
  if (bytes.length < head) return null
  const size = extra === 2 ? bytes.readUInt16BE(2) : extra === 8 ? Number(bytes.readBigUInt64BE(2)) : short
  const length = head + size
  if (bytes.length < length) return null
  if (opcode === 2) return { name: 'binary', length }
  if (opcode !== 1) return { name: 'control', length }
  const payload = Buffer.from(bytes.subarray(head, length))
  if (isMasked)
    for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] ?? 0) ^ (bytes[head - 4 + (i % 4)] ?? 0)
  const { type } = JSON.parse(payload.toString()) as { type: string }
  return { name: type, length }
}
