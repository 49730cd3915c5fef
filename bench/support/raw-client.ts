import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

const HEAD_END = '\r\n\r\n'
const PING = 9
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])

/**
 * A WebSocket client that costs next to nothing: frames are made beforehand and answers are counted by their headers.
 * Only for load on a server that is trusted to send whole frames under 64 KiB.
 */
export class RawClient {
  readonly #socket: Socket
  readonly #onFrames: (count: number) => void
  #rest: Buffer = Buffer.alloc(0)
  bytesRead = 0
  /** While set, gets every frame's opcode and payload, instead of being only counted. */
  onFrame: ((opcode: number, payload: Buffer) => void) | undefined

  private constructor(socket: Socket, onFrames: (count: number) => void) {
    this.#socket = socket
    this.#onFrames = onFrames
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('error', () => undefined)
  }

  static async open(
    port: number,
    onFrames: (count: number) => void,
    headers: Record<string, string> = {},
    onFrame?: (opcode: number, payload: Buffer) => void,
  ): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const key = randomBytes(16).toString('base64')
    const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n${more.join('')}\r\n`,
    )
    const head = await new Promise<Buffer>((resolve, reject) => {
      let seen = Buffer.alloc(0)
      const read = (chunk: Buffer) => {
        seen = Buffer.concat([seen, chunk])
        if (!seen.includes(HEAD_END)) return
        socket.off('data', read)
        resolve(seen)
      }
      socket.on('data', read)
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('closed before the handshake was over')))
    })
    const end = head.indexOf(HEAD_END)
    if (!head.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(head.toString('latin1'))
    const client = new RawClient(socket, onFrames)
    client.onFrame = onFrame
    client.#read(head.subarray(end + 4))
    return client
  }

  write(frames: Buffer): void {
    this.#socket.write(frames)
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    this.bytesRead += chunk.length
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    let count = 0
    while (data.length - at >= 2) {
      const short = (data[at + 1] ?? 0) & 127
      const head = short === 126 ? 4 : 2
      if (data.length - at < head) break
      const size = head + (short === 126 ? data.readUInt16BE(at + 2) : short)
      if (data.length - at < size) break
      const opcode = (data[at] ?? 0) & 15
      // Rally's pings are empty.
      if (opcode === PING) this.#socket.write(PONG)
      this.onFrame?.(opcode, data.subarray(at + head, at + size))
      at += size
      count++
    }
    this.#rest = data.subarray(at)
    if (count > 0) this.#onFrames(count)
  }
}

/** A masked client frame; the mask is zero, which masks nothing and is allowed. */
export function clientFrame(payload: string | Uint8Array): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload)
  const opcode = typeof payload === 'string' ? 0x81 : 0x82
  const head =
    body.length < 126
      ? Buffer.from([opcode, 0x80 | body.length, 0, 0, 0, 0])
      : Buffer.from([opcode, 0x80 | 126, body.length >> 8, body.length & 255, 0, 0, 0, 0])
  return Buffer.concat([head, body])
}
