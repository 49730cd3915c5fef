import { afterAll, beforeAll, expect, test } from 'vitest'
import { CONNECT_FOUR, create, follow } from '../matches/support.ts'
import type { TestClient } from '../support/client.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { newcomer, openSocket } from '../support/newcomers.ts'
import { matchTimes } from '../support/rally-test.ts'
import { needsRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { runJob } from '../support/run-job.ts'
import { type Rally, startRally } from '../support/server.ts'

needsRedis()

let database: TestDatabase
let redis: TestRedis
let nodes: [Rally, Rally]

beforeAll(async () => {
  ;[database, redis] = await Promise.all([createTestDatabase(), startRedis()])
  const shared = { redisUrl: redis.url, matches: matchTimes() }
  const first = await startRally({ database, config: shared })
  nodes = [first, await startRally({ database, config: { ...shared, secrets: first.config.secrets } })]
})
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.stop()))
  await redis[Symbol.asyncDispose]()
  await database.drop()
})

test('users and visitors who follow a live match on any node are counted once each, its players are not', async () => {
  const [first, second] = nodes
  const [host, guest] = [await newcomer(first), await newcomer(second)]
  const { id: matchId } = await create(host.client, CONNECT_FOUR)
  await guest.client.call('matches.join', { matchId })
  const own = await follow(host.client, matchId)
  await own.live()
  const runs = ({ app }: Rally) => app.platform.engine.get(matchId) !== undefined
  const [owner, other] = runs(first) ? [first, second] : [second, first]

  const fan = await newcomer(other)
  // A second tab of the same user.
  const tabs = [fan.client, await openSocket(other, fan.player)]
  const visitors = [await openSocket(owner), await openSocket(other)]
  const asker = await openSocket(other, guest.player)
  const watch = (socket: TestClient) => socket.subscribe('live.onState', { matchId })
  await Promise.all([host.client, guest.client, ...tabs, ...visitors].map(watch))

  const count = async () => {
    await runJob(other, 'live.countSpectators')
    // This asks the owner, so what it was told before has arrived.
    const asked = await watch(asker)
    await asker.call('rpc.unsubscribe', { channel: asked.channel })
    await runJob(owner, 'live.countSpectators')
  }
  await count()
  expect((await own.until(({ spectators }) => spectators > 0)).spectators).toBe(3)
  expect(await visitors[0]?.call('matches.getOne', { matchId })).toMatchObject({ spectators: 3 })

  for (const socket of [...tabs, ...visitors]) {
    socket.socket.close()
    await socket.closed
  }
  await count()
  expect((await own.until(({ spectators }) => spectators < 3)).spectators).toBe(0)
})
