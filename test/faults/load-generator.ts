// Sends what it is told to a server on this machine, as fast as that takes it, for a bounded time. A process of its own.
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { setPriority } from 'node:os'
import { clientFrame } from '../../bench/support/raw-client.ts'

/** What 64 connections of one address do until the time is over. One that is closed is opened again at once. */
export type Load =
  /** Sockets that send these frames, over and over. `reads` off: they take nothing of what they are sent. */
  | { readonly kind: 'frames'; readonly frames: readonly string[]; readonly reads: boolean }
  /** Requests for an upgrade with these headers, each on a connection of its own; as many as go without `perSecond`. */
  | { readonly kind: 'upgrades'; readonly headers: Readonly<Record<string, string>>; readonly perSecond?: number }
  /** The same HTTP request over and over, many on one connection. */
  | { readonly kind: 'http'; readonly request: string }

export interface Order {
  readonly port: number
  /** The address to come from. */
  readonly from: string
  readonly load: Load
  readonly ms: number
}

/** What was sent. */
export interface Sent {
  readonly connections: number
  readonly writes: number
  readonly bytes: number
}

const CONNECTIONS = 64
const MAX_UNSENT_BYTES = 1024 * 1024
/** HTTP requests that one connection sends at once. */
const PIPELINED = 16
/** How often connections are opened where a rate is asked for. */
const PACE_MS = 5

let connections = 0
let writes = 0
let bytes = 0

process.once('message', (order: Order) => {
  // It stands for another machine: what it costs here must not slow down what is measured.
  setPriority(10)
  const until = performance.now() + order.ms
  const { load } = order
  if (load.kind === 'upgrades' && load.perSecond !== undefined) pace(order, until, load.perSecond)
  else for (let index = 0; index < CONNECTIONS; index++) again(order, until)
  setTimeout(() => {
    process.send?.({ connections, writes, bytes } satisfies Sent, () => process.exit(0))
  }, order.ms)
})
process.once('disconnect', () => process.exit(0))

/** Opens so many connections a second, whatever becomes of them. */
function pace(order: Order, until: number, perSecond: number): void {
  const began = performance.now()
  const more = setInterval(() => {
    const now = performance.now()
    if (now > until) clearInterval(more)
    else while (connections < ((now - began) / 1000) * perSecond) open(order)
  }, PACE_MS)
}

function again(order: Order, until: number): void {
  if (performance.now() > until) return
  open(order).once('close', () => setImmediate(() => again(order, until)))
}

function open(order: Order): Socket {
  connections++
  const socket = connect({ host: '127.0.0.1', port: order.port, localAddress: order.from, noDelay: true })
  socket.on('error', () => undefined)
  socket.once('connect', () => run(socket, order))
  return socket
}

function run(socket: Socket, { port, load }: Order): void {
  switch (load.kind) {
    case 'frames':
      write(socket, handshake(port, {}))
      socket.once('data', () => {
        if (load.reads) socket.resume()
        else socket.pause()
        pump(socket, load.frames.map(clientFrame))
      })
      return
    case 'upgrades':
      write(socket, handshake(port, load.headers))
      socket.once('data', () => socket.destroy())
      return
    case 'http':
      socket.resume()
      pump(socket, [Buffer.from(load.request.repeat(PIPELINED))])
  }
}

/** Writes one after the other for as long as the socket lives. */
function pump(socket: Socket, messages: readonly Buffer[]): void {
  let next = Math.floor(Math.random() * messages.length)
  const more = () => {
    if (socket.destroyed) return
    for (let count = 0; count < 16 && socket.writableLength < MAX_UNSENT_BYTES; count++) {
      const message = messages[next++ % messages.length]
      if (message) write(socket, message)
    }
    setImmediate(more)
  }
  more()
}

function write(socket: Socket, message: Buffer): void {
  writes++
  bytes += message.length
  socket.write(message)
}

function handshake(port: number, headers: Readonly<Record<string, string>>): Buffer {
  const more = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(
    `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nSec-WebSocket-Version: 13\r\n${more.join('')}\r\n`,
  )
}
