import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { within } from '../support/client.ts'

/** A TCP connection from an address of this machine, on which nothing has been sent. */
export async function openFrom(port: number, localAddress: string): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port, localAddress, noDelay: true })
  await within(
    new Promise((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    }),
    'a connection',
    20_000,
  )
  // The server may cut it at any time.
  socket.on('error', () => undefined)
  return socket
}

/** A WebSocket from an address of this machine, as bytes: nobody reads its frames or answers its pings. */
export async function openRaw(port: number, localAddress: string): Promise<Socket> {
  const socket = await openFrom(port, localAddress)
  socket.write(upgradeRequest(port))
  const answer = await within(new Promise<Buffer>((resolve) => socket.once('data', resolve)), 'an upgrade', 20_000)
  if (!answer.toString('latin1').startsWith('HTTP/1.1 101')) throw new Error(answer.toString('latin1'))
  return socket
}

/** `headers` are more of them, each with its line break. */
export function upgradeRequest(port: number, headers = ''): string {
  return (
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n${headers}\r\n`
  )
}
