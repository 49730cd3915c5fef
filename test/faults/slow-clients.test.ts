import type { Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { connect, type TestClient } from '../support/client.ts'
import { figure } from './figure.ts'
import { openFrom, openRaw, upgradeRequest } from './open-raw.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { every, quantile, timed } from './under-load.ts'

const CLIENTS_OF_A_KIND = 200
const PER_ADDRESS = 50
const TRICKLE_MS = 500
/** A frame that does not end is no sign of life: its socket is closed after two heartbeats. */
const HEARTBEAT_SECONDS = 3
const MAX_OPEN_MS = 15_000
const WATCHED_MS = 17_000
const MAX_PING_MS = 250
const MAX_BYTES_EACH = 128 * 1024

let server: ServerProcess
let other: TestClient
const opened: Socket[] = []

beforeAll(async () => {
  server = await startServerProcess({ HEARTBEAT_SECONDS: `${HEARTBEAT_SECONDS}` })
  other = await connect(server.url, { localAddress: '127.0.2.1' })
})
// A second try needs the places of the first one's sockets.
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy()
})
afterAll(async () => {
  await other?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

/** Clients that send the beginning of something, and then its rest byte by byte. */
const kinds: Readonly<Record<string, { open: typeof openFrom; start: () => string | Buffer }>> = {
  'headers of a request': { open: openFrom, start: () => 'GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ' },
  'headers of an upgrade': {
    open: openFrom,
    start: () => upgradeRequest(server.port).replace(/\r\n\r\n$/, '\r\nX-Slow: '),
  },
  'the body of a request': {
    open: openFrom,
    start: () =>
      'POST /session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4000\r\n\r\n{"token":"',
  },
  // A text frame of 8,000 bytes with a mask of zeros.
  'a frame': { open: openRaw, start: () => Buffer.from([0x81, 0xfe, 0x1f, 0x40, 0, 0, 0, 0, 0x7b]) },
}

test(`${4 * CLIENTS_OF_A_KIND} clients that send slowly are closed within ${MAX_OPEN_MS / 1000} s and disturb nobody`, async () => {
  const memoryBefore = server.residentMemory()
  const openMs = new Map<string, number[]>()
  for (const [at, [kind, { open, start }]] of Object.entries(kinds).entries()) {
    const times: number[] = []
    openMs.set(kind, times)
    await Promise.all(
      Array.from({ length: CLIENTS_OF_A_KIND }, async (_, index) => {
        const socket = await open(server.port, `127.2.${at}.${1 + Math.floor(index / PER_ADDRESS)}`)
        opened.push(socket)
        const openedAt = performance.now()
        socket.resume()
        socket.write(start())
        socket.once('close', () => times.push(performance.now() - openedAt))
      }),
    )
  }
  const pings: number[] = []
  let peakMemory = memoryBefore
  const until = performance.now() + WATCHED_MS
  await Promise.all([
    every(20, until, async () => pings.push(await timed(() => other.request('rpc.ping')))),
    every(TRICKLE_MS, until, async () => {
      for (const socket of opened) if (socket.writable) socket.write('x')
      peakMemory = Math.max(peakMemory, server.residentMemory())
    }),
  ])
  const bytesEach = (peakMemory - memoryBefore) / opened.length
  figure('heartbeat', HEARTBEAT_SECONDS, 's')
  for (const [kind, times] of openMs) figure(`longest that a client may send ${kind}`, Math.max(...times) / 1000, 's')
  figure('memory of a client that sends slowly', bytesEach / 1024, 'KiB')
  figure('ping beside clients that send slowly, p99', quantile(pings, 0.99), 'ms')
  for (const [kind, times] of openMs) {
    expect(times.length, kind).toBe(CLIENTS_OF_A_KIND)
    expect(Math.max(...times), kind).toBeLessThan(MAX_OPEN_MS)
  }
  expect(bytesEach).toBeLessThan(MAX_BYTES_EACH)
  expect(quantile(pings, 0.99)).toBeLessThan(MAX_PING_MS)
})
