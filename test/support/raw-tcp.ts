import { connect, type Socket } from 'node:net'
import { within } from './client.ts'

/** A request for a socket, of somebody whose `Cookie` header is `cookie`. */
export function handshake(cookie = ''): string {
  return (
    'GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    `Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n${cookie && `Cookie: ${cookie}\r\n`}\r\n`
  )
}

/** Opens a connection and sends nothing on it. */
export async function openTcp(port: number): Promise<Socket> {
  const tcp = connect(port, '127.0.0.1')
  await within(
    new Promise<void>((resolve, reject) => {
      tcp.once('connect', resolve)
      tcp.once('error', reject)
    }),
    'the connection',
  )
  // A server may cut it at any time; interested tests listen to `close`.
  tcp.on('error', () => undefined)
  return tcp
}

/** Sends bytes and gives all that comes back until the server ends the connection. */
export async function talk(port: number, bytes: string): Promise<string> {
  const tcp = await openTcp(port)
  let answer = ''
  tcp.on('data', (chunk) => {
    answer += chunk.toString('latin1')
  })
  const over = new Promise<string>((resolve) => tcp.once('close', () => resolve(answer)))
  tcp.write(bytes)
  try {
    return await within(over, 'the end of the connection')
  } finally {
    tcp.destroy()
  }
}
