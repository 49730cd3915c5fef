import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { newcomer, openSocket } from '../support/newcomers.ts'
import { isRedisInstalled, needsRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { runJob } from '../support/run-job.ts'
import { type Rally, startRally } from '../support/server.ts'

needsRedis()

let database: TestDatabase
let redis: TestRedis
let nodes: [Rally, Rally]

beforeAll(async () => {
  if (!isRedisInstalled) return
  database = await createTestDatabase()
  redis = await startRedis()
  const first = await startRally({ database, config: { redisUrl: redis.url } })
  const { secrets } = first.config
  nodes = [first, await startRally({ database, config: { redisUrl: redis.url, secrets } })]
})
afterAll(async () => {
  await Promise.all(nodes?.map((node) => node.stop()) ?? [])
  await redis?.[Symbol.asyncDispose]()
  await database?.drop()
})

interface Listed {
  readonly players: number
  readonly entries: readonly { readonly score: number }[]
}

test('scores that are submitted to two nodes are in one leaderboard, which followers of both see', async () => {
  const [ada, ben] = await Promise.all([newcomer(nodes[0]), newcomer(nodes[1])])
  await ada.client.call('scores.submit', { gameMode: 'nodes', score: 10 })
  const streams = await Promise.all(
    nodes.map(async (node) =>
      (await openSocket(node)).subscribe<Listed>('scores.onLeaderboard', { gameMode: 'nodes' }),
    ),
  )
  await Promise.all([
    ben.client.call('scores.submit', { gameMode: 'nodes', score: 20 }),
    ada.client.call('scores.submit', { gameMode: 'nodes', score: 15 }),
  ])
  const expected = [
    { rank: 1, username: ben.player.username, score: 20 },
    { rank: 2, username: ada.player.username, score: 15 },
  ]
  // Each node may publish; the last event has both scores.
  const hasBoth = ({ data }: { data: Listed }) => data.entries.map(({ score }) => score).join() === '20,15'
  for (const { events } of streams)
    expect((await events.next(hasBoth)).data).toMatchObject({ players: 2, entries: expected })
  for (const { client } of [ada, ben])
    expect(await client.call('scores.rank', { gameMode: 'nodes', score: 15 })).toEqual({ rank: 2, players: 2 })
})

test('jobs of both nodes at once delete what is over, and count nothing twice', async () => {
  const ada = await newcomer(nodes[0])
  await ada.client.call('scores.submit', { gameMode: 'over', score: 10 })
  const { db } = nodes[0].app.platform.database
  await db.$executeRaw`UPDATE leaderboards SET starts_on = starts_on - 14 WHERE game_mode = 'over' AND period <> 'all'`
  for (const job of ['scores.deletePast', 'scores.deleteUnused'])
    await Promise.all(nodes.map((node) => runJob(node, job)))
  expect(await db.leaderboard.count({ where: { gameMode: 'over' } })).toBe(1)
  expect(await ada.client.call('scores.rank', { gameMode: 'over', score: 9 })).toEqual({ rank: 2, players: 1 })
})
