import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type TestClient, within } from '../support/client.ts'
import { figure } from './figure.ts'
import { LivePong } from './live-matches.ts'
import type { Crowd, Round } from './reconnecting-crowd.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { quantile, timed } from './under-load.ts'
import { makeUsers, openAs } from './users.ts'

const CROWD = 10_000
const MIB = 1024 * 1024
const PING_EVERY_MS = 20
/**
 * The bounds leave room for a machine with two cores, of which the crowd takes one. When the look-up of a session has waited for
 * two seconds, the upgrade is refused with 503, and the client comes again.
 */
const BACK_WITHIN_MS = 45_000
const MAX_PING_MS = 2_000
const MAX_PAUSE_MS = 5_000
const MAX_MEMORY_MIB = 700

let server: ServerProcess
let player: TestClient
let live: LivePong
let crowd: ReturnType<typeof fork>

beforeAll(async () => {
  server = await startServerProcess()
  crowd = fork(fileURLToPath(new URL('./reconnecting-crowd.ts', import.meta.url)), { execArgv: ['--import', 'tsx'] })
})
afterAll(async () => {
  crowd?.kill('SIGKILL')
  await player?.[Symbol.asyncDispose]()
  await server?.[Symbol.asyncDispose]()
})

function round(order: Crowd | 'again'): Promise<Round> {
  const done = new Promise<Round>((resolve, reject) => {
    crowd.once('message', (message) => resolve(message as Round))
    crowd.once('exit', (code) => reject(new Error(`the crowd ended with ${code}`)))
  })
  crowd.send(order)
  return within(done, 'the crowd', 90_000)
}

test(`${CROWD} sockets are cut and come back at once`, async () => {
  const users = await makeUsers(server, CROWD + 1)
  const self = users.pop()
  if (!self) throw new Error('there are no users')
  await round({ port: server.port, users })
  player = await openAs(server.url, self)
  live = await LivePong.start(player)
  const memoryBefore = server.residentMemory()

  const pings: number[] = []
  const returning = round('again')
  let isBack = false
  returning.then(
    () => (isBack = true),
    () => (isBack = true),
  )
  let peak = memoryBefore
  while (!isBack) {
    pings.push(await timed(() => player.request('rpc.ping', {}, { deadlineMs: 20_000 })))
    peak = Math.max(peak, server.residentMemory())
    await sleep(PING_EVERY_MS)
  }
  const { allMs, medianMs, failed } = await returning
  const pauseMs = live.stop()
  figure('reconnects: sockets', CROWD, 'sockets')
  figure('reconnects: half of them back after', medianMs, 'ms')
  figure('reconnects: all of them back after', allMs, 'ms')
  figure('reconnects: connections that failed and were repeated', failed, 'connections')
  figure("reconnects: another player's ping, p99", quantile(pings, 0.99), 'ms')
  figure("reconnects: longest pause of another's live match", pauseMs, 'ms')
  figure('reconnects: memory before', memoryBefore / MIB, 'MiB')
  figure('reconnects: memory at most', peak / MIB, 'MiB')
  expect(allMs).toBeLessThan(BACK_WITHIN_MS)
  expect(quantile(pings, 0.99)).toBeLessThan(MAX_PING_MS)
  expect(pauseMs).toBeLessThan(MAX_PAUSE_MS)
  expect(peak / MIB).toBeLessThan(MAX_MEMORY_MIB)
  expect(server.errors).toEqual([])
}, 180_000)
