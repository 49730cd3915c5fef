import { afterAll, beforeAll, expect, test } from 'vitest'
import { matchService } from '../../../src/modules/matches/index.ts'
import { Invites, type Match, QueueState } from '../../../src/modules/matches/types.ts'
import { inTransaction } from '../../../src/modules/scope.ts'
import { createTestDatabase, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { type Newcomer, newcomers, openSocket } from '../../support/newcomers.ts'
import { isRedisInstalled, needsRedis, startRedis, type TestRedis } from '../../support/redis.ts'
import type { Rally } from '../../support/server.ts'
import { CONNECT_FOUR, create, startLive, startQuickRally } from '../support.ts'

// Two nodes with one Redis.

needsRedis()

let database: TestDatabase
let redis: TestRedis
let nodes: readonly [Rally, Rally]

beforeAll(async () => {
  if (!isRedisInstalled) return
  ;[database, redis] = await Promise.all([createTestDatabase(), startRedis()])
  const first = await startQuickRally({}, { database, config: { redisUrl: redis.url } })
  const { secrets } = first.config
  nodes = [first, await startQuickRally({}, { database, config: { redisUrl: redis.url, secrets } })]
})

afterAll(async () => {
  await Promise.all(nodes?.map((node) => node.stop()) ?? [])
  await redis?.[Symbol.asyncDispose]()
  await database?.drop()
})

const enqueue = ({ client }: Newcomer) => client.call('matches.enqueue', { game: 'pong' })

/** One player at each node. */
async function pair(): Promise<[Newcomer, Newcomer]> {
  const [[one], [two]] = [await newcomers(nodes[0], 1), await newcomers(nodes[1], 1)]
  return [one, two]
}

test('a player of each node are matched with one another, and told at once', async () => {
  const [ada, ben] = await pair()
  const stream = await ada.client.subscribe<unknown, unknown>('matches.onQueue', {})
  await enqueue(ada)
  await enqueue(ben)
  const found = await stream.events.next(({ data }) => QueueState.parse(data).status === 'matched')
  const { matchId } = QueueState.parse(found.data)
  const match = await ben.client.call<Match>('matches.getOne', { matchId })
  expect(match.players.map(({ userId }) => userId).sort()).toEqual([ada.player.id, ben.player.id].sort())
})

test('nobody is matched twice, though they ask and give up on both nodes at once', async () => {
  const { db } = await database.open()
  const crowd = (await Promise.all(nodes.map((node) => newcomers(node, 10)))).flat()
  await Promise.all(
    crowd.map(async (player, index) => {
      for (let round = 0; round < 4; round++) {
        await enqueue(player)
        if ((index + round) % 3 === 0) await player.client.call('matches.dequeue', {})
      }
      await enqueue(player)
    }),
  )
  const userIds = crowd.map(({ player }) => player.id)
  const matched = await eventually(
    () => db.queueEntry.findMany({ where: { userId: { in: userIds } } }),
    (all) => all.every(({ status }) => status === 'matched'),
  )
  const seats = await db.seat.findMany({ where: { userId: { in: userIds } } })
  expect(seats).toHaveLength(crowd.length)
  expect(new Set(seats.map(({ userId }) => userId)).size).toBe(crowd.length)
  for (const { userId, matchId } of matched) {
    expect(seats.find((seat) => seat.userId === userId)?.matchId).toBe(matchId)
  }
})

test('an invite reaches its user on the other node, and is gone there once accepted', async () => {
  const [ada, ben] = await pair()
  const stream = await ben.client.subscribe<unknown, unknown>('matches.onInvite', {})
  const { id: matchId } = await create(ada.client)
  await ada.client.call('matches.invite', { matchId, username: ben.player.username })
  const [invite] = Invites.parse((await stream.events.next()).data).invites
  expect(invite).toMatchObject({ matchId })
  await ben.client.call('matches.acceptInvite', { inviteId: invite?.id })
  expect(Invites.parse((await stream.events.next()).data).invites).toEqual([])
})

test('a node that leaves opens no match, and has another one look', async () => {
  const config = { redisUrl: redis.url, secrets: nodes[0].config.secrets, drainMs: 60_000 }
  const leaving = await startQuickRally({}, { database, config })
  const [eve] = await newcomers(leaving, 1)
  // It goes on for as long as she plays.
  await startLive(eve.client, { mode: 'local', ...CONNECT_FOUR })
  const stopped = leaving.stop()
  const [[fay]] = [await newcomers(nodes[1], 1)]
  await enqueue(fay)
  const stream = await fay.client.subscribe<unknown, unknown>('matches.onQueue', {})
  const matchedBy = (node: Rally) => {
    const { counts } = node.app.platform.use(matchService).queue.waits
    return counts.reduce((sum, count) => sum + count, 0)
  }
  const before = nodes.map(matchedBy)
  // As a request that came before her socket was closed.
  const { platform } = leaving.app
  await inTransaction(platform, (scope) => platform.use(matchService).queue.enqueue(scope, eve.player.id, 'pong'))
  await stream.events.next(({ data }) => QueueState.parse(data).status === 'matched')
  const sum = (counts: number[]) => counts.reduce((all, count) => all + count, 0)
  await eventually(
    async () => sum(nodes.map(matchedBy)) - sum(before),
    (matched) => matched === 2,
  )
  expect(matchedBy(leaving)).toBe(0)
  await leaving.app.stop(0)
  await stopped
})

test('who waits keeps the place when the node stops', async () => {
  const { db } = await database.open()
  const [cem, dee] = await pair()
  await enqueue(cem)
  await nodes[0].stop()
  const back = await openSocket(nodes[1], cem.player)
  await enqueue(dee)
  await eventually(
    () => db.queueEntry.findUniqueOrThrow({ where: { userId: cem.player.id } }),
    ({ status }) => status === 'matched',
  )
  back.socket.terminate()
})
