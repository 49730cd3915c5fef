import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { figure } from './figure.ts'
import { openRaw } from './open-raw.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { quantile, runLoadGenerator, timed } from './under-load.ts'

const PER_SECOND = 2_000
const LOAD_MS = 6_000
const HANDSHAKES = 100
const EVERY_MS = 40
const MAX_RATIO = 2

let server: ServerProcess
beforeAll(async () => {
  server = await startServerProcess()
})
afterAll(() => server?.[Symbol.asyncDispose]())

/** Times from connecting to the answer of the upgrade, from an address with few sockets. ms */
async function handshakes(address: string): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < HANDSHAKES; i++) {
    times.push(await timed(async () => (await openRaw(server.port, address)).destroy()))
    await sleep(EVERY_MS)
  }
  return times
}

test(`${PER_SECOND} upgrades a second from one address leave another's handshake under ${MAX_RATIO} times its usual`, async () => {
  await handshakes('127.0.0.2')
  const quiet = await handshakes('127.0.0.3')
  const load = { kind: 'upgrades', headers: {}, perSecond: PER_SECOND } as const
  const loading = runLoadGenerator({ port: server.port, from: '127.0.6.6', load, ms: LOAD_MS })
  await sleep(500)
  const loaded = await handshakes('127.0.0.4')
  const { connections } = await loading
  const [usual, beside] = [quantile(quiet, 0.5), quantile(loaded, 0.5)]
  figure('upgrades from one address', connections / (LOAD_MS / 1000), 'a second')
  figure('handshake, median', usual, 'ms')
  figure('handshake beside them, median', beside, 'ms')
  figure('handshake beside them, p99', quantile(loaded, 0.99), 'ms')
  expect(connections).toBeGreaterThan((PER_SECOND * LOAD_MS) / 1000 / 2)
  expect(beside).toBeLessThan(MAX_RATIO * usual)
})
