import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CONNECT_FOUR, type Follower, playConnectFour, startLive } from '../matches/support.ts'
import type { TestClient } from '../support/client.ts'
import { OwnPostgres } from '../support/own-postgres.ts'
import { answersBetween, Caller } from './callers.ts'
import { figure } from './figure.ts'
import { LivePong } from './live-matches.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { makeUsers, openAs, type User } from './users.ts'

const CALLERS = 16
const LIVE = 4
const DECIDED = 6
/** Frames come ten times a second. The bound leaves room for a machine whose two cores the tests share. */
const MAX_PAUSE_MS = 1_500
const BACK_WITHIN_MS = 15_000

let postgres: OwnPostgres
let server: ServerProcess
let users: User[]
const clients: TestClient[] = []
let callers: Caller[]

beforeAll(async () => {
  postgres = await OwnPostgres.start()
  server = await startServerProcess({ DATABASE_URL: postgres.url })
  users = await makeUsers(server, CALLERS + LIVE + DECIDED + 1)
  for (const user of users) clients.push(await openAs(server.url, user))
  callers = clients.slice(0, CALLERS).map((client) => new Caller(client))
})
afterAll(async () => {
  await Promise.all((callers ?? []).map((caller) => caller.stop()))
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()))
  await server?.[Symbol.asyncDispose]()
  await postgres?.[Symbol.asyncDispose]()
})

const status = async (path: string) => (await fetch(server.url + path)).status

/** Takes the database away for so long, while matches are decided, and checks what players notice and what is stored. */
async function outage(
  name: string,
  ms: number,
  bounds: { answerMs: number },
  away: () => Promise<void>,
  back: () => Promise<void>,
) {
  const players = clients.slice(CALLERS + LIVE, CALLERS + LIVE + DECIDED)
  const decided: Follower[] = await Promise.all(
    players.map((client) => startLive(client, { mode: 'local', ...CONNECT_FOUR })),
  )
  const live = await Promise.all(clients.slice(CALLERS, CALLERS + LIVE).map((client) => LivePong.start(client)))
  await away()
  const begin = performance.now()
  await Promise.all(decided.map(({ latest }, index) => playConnectFour([players[index] as TestClient], latest.id)))
  await sleep(begin + ms / 2 - performance.now())
  expect(await status('/healthz')).toBe(200)
  expect(await status('/readyz')).toBe(503)
  for (const follower of decided) expect(follower.catchUp().status).toBe('live')
  await sleep(begin + ms - performance.now())
  const end = performance.now()
  await back()
  const backAt = performance.now()
  await expect.poll(() => status('/readyz'), { timeout: BACK_WITHIN_MS, interval: 50 }).toBe(200)
  const readyMs = performance.now() - backAt
  for (const follower of decided) {
    expect(await follower.over(BACK_WITHIN_MS)).toMatchObject({ status: 'finished', winnerSeat: 0 })
  }
  const storedMs = performance.now() - backAt
  const pauseMs = Math.max(...live.map((match) => match.stop()))
  const { counts, slowestMs } = answersBetween(callers, begin, end)
  figure(`${name}: slowest answer meanwhile`, slowestMs, 'ms')
  for (const [code, count] of Object.entries(counts)) figure(`${name}: answers ${code}`, count, 'calls')
  figure(`${name}: longest pause of a live match`, pauseMs, 'ms')
  figure(`${name}: ready again after`, readyMs, 'ms')
  figure(`${name}: ${DECIDED} results stored after`, storedMs, 'ms')
  // Calls that began before the end may have been repeated after it.
  expect(answersBetween(callers, begin, end - 2_000).counts).not.toHaveProperty('ok')
  expect(counts).toHaveProperty('UNAVAILABLE')
  expect(Object.keys(counts).filter((code) => !['ok', 'UNAVAILABLE', 'TIMEOUT'].includes(code))).toEqual([])
  expect(slowestMs).toBeLessThan(bounds.answerMs)
  expect(pauseMs).toBeLessThan(MAX_PAUSE_MS)
}

test('Postgres stopped for 30 s', async () => {
  await outage(
    'Postgres stopped',
    30_000,
    { answerMs: 3_000 },
    () => postgres.stop(),
    () => postgres.restart(),
  )
}, 90_000)

test('Postgres accepts connections and never answers, for 12 s', async () => {
  const hang = async () => postgres.proxy.hang()
  await outage('Postgres silent', 12_000, { answerMs: 10_500 }, hang, async () => postgres.back())
}, 90_000)

test('every write was done once, and the process went on', async () => {
  await Promise.all(callers.map((caller) => caller.stop()))
  const written = callers.flatMap((caller) => [...caller.written.values()])
  const { rows } = await postgres.query(`SELECT id FROM matches WHERE created_by IN (
    ${users
      .slice(0, CALLERS)
      .map(({ id }) => `'${id}'`)
      .join(', ')})`)
  figure('Postgres outages: writes acknowledged', written.length, 'writes')
  expect(rows.map(({ id }) => String(id)).toSorted()).toEqual(written.toSorted())
  expect(server.errors).toEqual([])
}, 60_000)
