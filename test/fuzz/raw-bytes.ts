import { connect } from 'node:net'
import { within } from '../support/client.ts'
import type { Random } from './random.ts'

const HANDSHAKE = [
  'GET /ws HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n')

/** Beginnings of frames that RFC 6455 forbids, or whose rest never comes. */
const HEADS: readonly [readonly number[], ...(readonly number[])[]] = [
  [0x81, 0x05],
  [0xf1, 0x85, 1, 2, 3, 4],
  [0x83, 0x80, 0, 0, 0, 0],
  [0x8f, 0x80, 0, 0, 0, 0],
  [0x09, 0x80, 0, 0, 0, 0],
  [0x89, 0xfe, 0xff, 0xff, 0, 0, 0, 0],
  [0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
  [0x81, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0],
  [0x80, 0x80, 0, 0, 0, 0],
  [0x01, 0x81, 0, 0, 0, 0, 0x7b],
  [0x88, 0x81, 0, 0, 0, 0, 0x03],
  [0x88, 0x82, 0, 0, 0, 0, 0x00, 0x01],
  [],
]

/** Opens a connection and sends bytes that are no frames or no HTTP. */
export async function sendRawBytes(port: number, random: Random): Promise<void> {
  const isUpgrade = random.chance(0.8)
  const head = Buffer.from(random.pick(HEADS))
  const rest = random.bytes(random.below(400))
  const socket = connect(port, '127.0.0.1')
  // The server may cut such a connection.
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  if (isUpgrade) {
    socket.write(HANDSHAKE)
    await within(Promise.race([new Promise((resolve) => socket.once('data', resolve)), closed]), 'an upgrade')
  }
  socket.write(Buffer.concat([head, rest]), () => socket.destroy())
  await within(closed, 'the end of a connection', 10_000)
}
