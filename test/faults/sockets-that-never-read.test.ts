import type { Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientFrame } from '../../bench/support/raw-client.ts'
import { connect, type TestClient } from '../support/client.ts'
import { figure } from './figure.ts'
import { openRaw } from './open-raw.ts'
import { register } from './player.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { every, quantile, timed } from './under-load.ts'

const SOCKETS = 1_000
const PER_ADDRESS = 50
const WATCHED_MS = 12_000
const MAX_CLOSED_AFTER_MS = 10_000
const MAX_BYTES_EACH = 128 * 1024
const MAX_PING_MS = 250
const MAX_SKIPPED_TICKS = 60

let server: ServerProcess
let player: TestClient
let matchId: string
let silent: Socket[]

beforeAll(async () => {
  server = await startServerProcess()
  const { cookie, address } = await register(server.url, 'reader', '127.0.2.1')
  player = await connect(server.url, { cookie, localAddress: address })
  const bot = { game: 'pong', mode: 'bot', options: { pointsToWin: 21 } }
  matchId = (await player.call<{ id: string }>('matches.create', bot)).id
  const updates = await player.subscribe<{ status: string }>('matches.onUpdate', { matchId })
  await updates.events.next(({ data }) => data.status === 'live', 10_000)
})
afterAll(async () => {
  for (const socket of silent ?? []) socket.destroy()
  await player?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

test(`${SOCKETS} sockets that never read cost little memory each, disturb nobody and are closed within 10 s`, async () => {
  const memoryBefore = server.residentMemory()
  const skippedBefore = await server.metric('rally_skipped_ticks_total')
  const follow = [
    { type: 'live.onState', data: { matchId, rate: 15 }, eid: 'state', ts: 0 },
    { type: 'matches.onLobby', data: {}, eid: 'lobby', ts: 0 },
  ].map((each) => clientFrame(JSON.stringify(each)))
  const ping = clientFrame('{"type":"rpc.ping","eid":"p","ts":0}')
  silent = await Promise.all(
    Array.from({ length: SOCKETS }, async (_, index) => {
      const socket = await openRaw(server.port, `127.1.1.${1 + Math.floor(index / PER_ADDRESS)}`)
      socket.pause()
      socket.write(Buffer.concat(follow))
      return socket
    }),
  )
  const openedAt = performance.now()
  const pings: number[] = []
  let peakMemory = memoryBefore
  let mostOpen = 0
  let closedAfterMs = Number.POSITIVE_INFINITY
  const until = openedAt + WATCHED_MS
  await Promise.all([
    every(20, until, async () => pings.push(await timed(() => player.request('rpc.ping')))),
    // They are not silent.
    every(1_000, until, async () => {
      for (const socket of silent) socket.write(ping)
    }),
    every(250, until, async () => {
      peakMemory = Math.max(peakMemory, server.residentMemory())
      const open = await server.metric('rally_sockets')
      mostOpen = Math.max(mostOpen, open)
      if (mostOpen > SOCKETS && open === 1) closedAfterMs = Math.min(closedAfterMs, performance.now() - openedAt)
    }),
  ])
  const bytesEach = (peakMemory - memoryBefore) / SOCKETS
  const pingP99Ms = quantile(pings, 0.99)
  const skippedTicks = (await server.metric('rally_skipped_ticks_total')) - skippedBefore
  figure('memory of a socket that never reads', bytesEach / 1024, 'KiB')
  figure(`last of ${SOCKETS} sockets that never read closed after`, closedAfterMs / 1000, 's')
  figure('ping beside sockets that never read, p99', pingP99Ms, 'ms')
  figure('ticks skipped beside sockets that never read', skippedTicks, 'ticks')
  expect(mostOpen).toBe(SOCKETS + 1)
  expect(bytesEach).toBeLessThan(MAX_BYTES_EACH)
  expect(closedAfterMs).toBeLessThan(MAX_CLOSED_AFTER_MS)
  expect(pingP99Ms).toBeLessThan(MAX_PING_MS)
  expect(skippedTicks).toBeLessThanOrEqual(MAX_SKIPPED_TICKS)
})
