import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createClient } from '../../src/client/index.ts'
import type { Api } from '../../src/modules/index.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import type { TestClient } from '../support/client.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { isRedisInstalled, needsRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { answersBetween, Caller } from './callers.ts'
import { figure } from './figure.ts'
import { LivePong } from './live-matches.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { makeUsers, openAs, type User } from './users.ts'

const OUTAGE_MS = 30_000
/** On each of the two nodes. */
const CALLERS = 6
const MAX_ANSWER_MS = 3_000
const MAX_PAUSE_MS = 1_500
const WHOLE_WITHIN_MS = 15_000

needsRedis()
let redis: TestRedis
let database: TestDatabase
let nodes: [ServerProcess, ServerProcess]
let users: User[]
const clients: TestClient[] = []

beforeAll(async () => {
  if (!isRedisInstalled) return
  redis = await startRedis()
  database = await createTestDatabase()
  const secret = () => randomBytes(48).toString('base64')
  const shared = {
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    JWT_SECRET: secret(),
    COOKIE_SECRET: secret(),
    ENCRYPTION_KEY: `1:${randomBytes(32).toString('base64')}`,
    MATCH_COME_BACK_MS: '60000',
  }
  nodes = await Promise.all([startServerProcess(shared), startServerProcess(shared)])
  users = await makeUsers(nodes[0], 2 * CALLERS + 4)
})
afterAll(async () => {
  await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()))
  await Promise.all((nodes ?? []).map((node) => node[Symbol.asyncDispose]()))
  await redis?.[Symbol.asyncDispose]()
  await database?.drop()
})

/** A client as a page has it: it opens streams that end again. */
function pageOf(node: ServerProcess, { cookie, address }: User) {
  return createClient<Api>({
    url: node.url,
    createSocket: (url, protocol) =>
      new WebSocket(url, protocol, { headers: { cookie }, localAddress: address, perMessageDeflate: false }),
  })
}

test('Redis is gone for 30 s', async () => {
  const [host, guest, ...rest] = users
  if (!host || !guest) throw new Error('there are no users')
  const open = async (node: ServerProcess, user: User) => {
    const client = await openAs(node.url, user)
    clients.push(client)
    return client
  }
  const own = await Promise.all(
    nodes.map(async (node, index) => ({
      live: await LivePong.start(await open(node, rest[index] as User)),
      callers: await Promise.all(
        rest
          .slice(2 + index * CALLERS, 2 + (index + 1) * CALLERS)
          .map(async (user) => new Caller(await open(node, user))),
      ),
    })),
  )
  const callers = own.flatMap((each) => each.callers)

  // A match between two nodes, and the open matches as the page of the other node shows them.
  const [first, second] = [pageOf(nodes[0], host), pageOf(nodes[1], guest)]
  const errors: string[] = []
  const error = ({ code }: { code: string }) => void errors.push(code)
  const end = (reason: string) => void errors.push(reason)
  let seen: readonly Pick<Match, 'id'>[] = []
  const stopLobby = second.matches.onLobby(
    {},
    {
      next: ({ matches }) => {
        seen = matches
      },
      error,
      end,
    },
  )
  const match = await first.matches.create({ game: 'pong', mode: 'casual', options: { pointsToWin: 21 } })
  await second.matches.join({ matchId: match.id })
  let tick = 0
  const frame = (state: { tick: number }) => {
    tick = state.tick
  }
  const stopFrames = second.live.onState({ matchId: match.id, rate: 10 }, { next: frame, error, end })
  await expect.poll(() => tick, { timeout: 20_000 }).toBeGreaterThan(0)

  await redis.stop()
  const begin = performance.now()
  await sleep(OUTAGE_MS / 2)
  for (const { url } of nodes) expect((await fetch(`${url}/healthz`)).status).toBe(200)
  await sleep(begin + OUTAGE_MS - performance.now())
  const pauseMs = Math.max(...own.map(({ live }) => live.stop()))
  const tickBefore = tick
  await redis.start()
  const backAt = performance.now()
  for (const { url } of nodes) {
    const isReady = async () => (await fetch(`${url}/readyz`)).status
    await expect.poll(isReady, { timeout: WHOLE_WITHIN_MS, interval: 50 }).toBe(200)
  }
  figure('Redis gone: both nodes ready after', performance.now() - backAt, 'ms')
  await expect.poll(() => tick, { timeout: WHOLE_WITHIN_MS, interval: 20 }).toBeGreaterThan(tickBefore)
  figure('Redis gone: frames of the other node again after', performance.now() - backAt, 'ms')
  const created = await first.matches.create({ game: 'pong', mode: 'casual' })
  await expect.poll(() => seen.map(({ id }) => id), { timeout: WHOLE_WITHIN_MS, interval: 20 }).toContain(created.id)
  figure('Redis gone: streams of the other node whole after', performance.now() - backAt, 'ms')

  const { counts, slowestMs } = answersBetween(callers, begin, backAt)
  await Promise.all(callers.map((caller) => caller.stop()))
  stopLobby()
  stopFrames()
  first.close()
  second.close()
  for (const [code, count] of Object.entries(counts)) figure(`Redis gone: answers ${code}`, count, 'calls')
  figure('Redis gone: slowest answer meanwhile', slowestMs, 'ms')
  figure('Redis gone: longest pause of a live match of the same node', pauseMs, 'ms')
  expect(Object.keys(counts)).toEqual(['ok'])
  expect(slowestMs).toBeLessThan(MAX_ANSWER_MS)
  expect(pauseMs).toBeLessThan(MAX_PAUSE_MS)
  expect(errors).toEqual([])
  for (const node of nodes) expect(node.errors).toEqual([])
}, 120_000)
