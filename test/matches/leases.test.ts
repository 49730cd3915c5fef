import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { NodeLease } from '../../src/engine/index.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { newcomer, openSocket } from '../support/newcomers.ts'
import { databaseUrl } from '../support/postgres.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import {
  CONNECT_FOUR,
  create,
  follow,
  leaveBehind,
  playConnectFour,
  startLive,
  startQuickRally,
  startTwo,
} from './support.ts'

test.concurrent('the matches of a dead node are aborted, and those of a living one go on', async () => {
  await using database = await createTestDatabase()
  const opened = await database.open()
  const { db } = opened
  const [a, b] = await startTwo(database)
  await using _a = a
  await using _b = b
  const player = await newcomer(a)
  const ghost = await newcomer(b)
  const follower = await startLive(player.client, { mode: 'local', ...CONNECT_FOUR })
  const own = follower.latest

  const node = randomUUID()
  await db.node.create({ data: { id: node, heartbeatAt: new Date(Date.now() - 60_000) } })
  await ghost.drop()
  const userId = ghost.player.id
  const lost = await Promise.all([1, 2, 3].map(() => leaveBehind(opened, { node, userId, status: 'live' })))
  const kept = await leaveBehind(opened, { node, userId, status: 'waiting' })
  const read = (ids: string[]) => db.match.findMany({ where: { id: { in: ids } }, include: { seats: true } })

  const ended = await eventually(
    () => read(lost),
    (rows) => rows.every(({ status }) => status !== 'live'),
  )
  for (const row of ended) {
    expect(row).toMatchObject({ status: 'aborted', endReason: 'node-lost' })
    // Its player may have been written as away before, as a change of its own.
    expect([2, 3]).toContain(row.version)
  }
  // The match and its seats are read one after the other: the match may be older than its seat.
  const [waiting] = await eventually(
    () => read([kept]),
    ([row]) => row?.seats[0]?.connected === false && row.version >= 2,
  )
  expect(waiting).toMatchObject({ status: 'waiting', version: 2, seats: [{ connected: false }] })
  expect(await db.node.count()).toBe(2)

  expect(follower.catchUp().status).toBe('live')
  await playConnectFour([player.client], own.id)
  expect(await follower.over()).toMatchObject({ status: 'finished', winnerSeat: 0 })
}, 30_000)

test.concurrent('a node that others took for dead stops running what they aborted', async () => {
  await using rally = await startQuickRally()
  const { db } = await rally.database.open()
  const { client } = await newcomer(rally)
  const watcher = await openSocket(rally)
  const match = await create(client, { mode: 'local', ...CONNECT_FOUR })
  const follower = await follow(watcher, match.id)
  const { version } = await follower.live()
  // What another node does.
  await db.match.update({
    where: { id: match.id },
    data: { status: 'aborted', endReason: 'node-lost', version: { increment: 1 }, finishedAt: new Date() },
  })
  const over: Match = await follower.over()
  expect(over).toMatchObject({ status: 'aborted', endReason: 'node-lost', version: version + 1 })
  const ask = { matchId: match.id, seat: 0, input: { column: 0 } }
  expect((await client.request('live.input', ask)).error).toBe('NOT_LIVE')
  expect(rally.app.platform.engine.size).toBe(0)
}, 30_000)

test.concurrent('a match that a node claimed without hearing of it is run', async () => {
  await using rally = await startQuickRally()
  const opened = await rally.database.open()
  const { player, client } = await newcomer(rally)
  const id = await leaveBehind(opened, { node: rally.app.platform.node, userId: player.id, status: 'live' })
  const follower = await follow(client, id)
  await eventually(
    async () => rally.app.platform.engine.size,
    (size) => size === 1,
  )
  await client.call('matches.leave', { matchId: id })
  expect(await follower.over()).toMatchObject({ status: 'aborted', endReason: 'left' })
}, 30_000)

test.concurrent('a match that a node owns and cannot run is aborted', async () => {
  await using rally = await startQuickRally()
  const opened = await rally.database.open()
  const { player, client } = await newcomer(rally)
  const { node } = rally.app.platform
  const id = await leaveBehind(opened, { node, userId: player.id, status: 'live', game: 'chess' })
  const follower = await follow(client, id)
  expect(await follower.over()).toMatchObject({ status: 'aborted', endReason: 'failed' })
}, 30_000)

/** A way to the database that can be cut. */
async function startProxy({ url }: TestDatabase) {
  const proxy = await startTcpProxy()
  const { hostname, port, pathname } = new URL(url)
  const through = new URL(databaseUrl(url, pathname.slice(1)))
  through.host = `127.0.0.1:${proxy.port}`
  const restore = () => proxy.leadTo({ host: hostname, port: Number(port) })
  restore()
  return { url: through.href, cut: () => proxy.leadTo(undefined), restore, [Symbol.asyncDispose]: () => proxy.close() }
}

test.concurrent('nodes that cannot reach the database pause their matches, and go on with those that are still their own', async () => {
  await using database = await createTestDatabase()
  await using proxy = await startProxy(database)
  const [a, b] = await startTwo({ ...database, url: proxy.url }, { config: { logLevel: 'silent' } })
  await using _a = a
  await using _b = b
  const { engine } = a.app.platform
  const [player, other] = [await newcomer(a), await newcomer(a)]
  const turns = await startLive(player.client, { mode: 'local', ...CONNECT_FOUR })
  const pong = await startLive(other.client, { mode: 'local' })
  const [four, clock] = [engine.get(turns.latest.id), engine.get(pong.latest.id)]
  if (!four || !clock) throw new Error('the matches do not run')

  proxy.cut()
  await eventually(
    async () => four.paused && clock.paused,
    (paused) => paused,
  )
  const { tick } = clock
  clock.advance()
  expect(clock.tick).toBe(tick)
  const move = { matchId: turns.latest.id, seat: 0, input: { column: 0 } }
  expect(await player.client.request('live.input', move)).toMatchObject({ error: 'UNAVAILABLE' })

  proxy.restore()
  await eventually(
    async () => four.paused || clock.paused,
    (paused) => !paused,
  )
  await eventually(
    async () => clock.tick,
    (now) => now > tick,
  )
  await playConnectFour([player.client], turns.latest.id)
  expect(await turns.over()).toMatchObject({ status: 'finished', winnerSeat: 0, endReason: null })
}, 30_000)

test.concurrent('a match whose node cannot reach the database is aborted by another node, and its node stops running it', async () => {
  await using database = await createTestDatabase()
  await using proxy = await startProxy(database)
  const [a, b] = await startTwo(database, { config: { databaseUrl: proxy.url, logLevel: 'silent' } })
  await using _a = a
  await using _b = b
  const { client } = await newcomer(a)
  const { latest } = await startLive(client, { mode: 'local', ...CONNECT_FOUR })
  const runner = a.app.platform.engine.get(latest.id)
  const follower = await follow(await openSocket(b), latest.id)

  proxy.cut()
  expect(await follower.over(15_000)).toMatchObject({ status: 'aborted', endReason: 'node-lost' })
  expect(runner?.isOver || runner?.paused).toBe(true)
  proxy.restore()
  await eventually(
    async () => a.app.platform.engine.size,
    (size) => size === 0,
  )
  expect(runner?.isOver).toBe(true)
}, 40_000)

test.concurrent('no node is taken for dead because the database was silent', async () => {
  await using database = await createTestDatabase()
  await using proxy = await startProxy(database)
  const { db } = await database.open()
  const { reserved: sql } = await database.open({ url: proxy.url, connectTimeoutMs: 200 })
  let removals = 0
  let lapses = 0
  const leases = [1, 2, 3].map(
    () => new NodeLease({ sql, node: randomUUID(), leaseMs: 1_000, onError: () => undefined }),
  )
  for (const lease of leases) {
    lease.onDead(async () => void removals++)
    lease.onLapsed(() => lapses++)
    await lease.start()
  }
  const entered = await db.node.findMany({ orderBy: { id: 'asc' } })
  await eventually(
    async () => removals,
    (count) => count > 0,
  )
  expect(leases.every(({ isHeld }) => isHeld)).toBe(true)

  proxy.cut()
  await eventually(
    async () => lapses,
    (count) => count === 3,
  )
  expect(leases.some(({ isHeld }) => isHeld)).toBe(false)
  // Others would remove them from now on.
  await delay(1_000)
  proxy.restore()
  const before = removals
  await eventually(
    async () => removals,
    (count) => count > before + 3,
  )
  expect(leases.every(({ isHeld }) => isHeld)).toBe(true)
  // A node that was removed and came back would have a new row.
  const now = await db.node.findMany({ orderBy: { id: 'asc' } })
  expect(now.map(({ id, startedAt }) => [id, startedAt])).toEqual(entered.map(({ id, startedAt }) => [id, startedAt]))

  const dead = randomUUID()
  await db.node.create({ data: { id: dead, heartbeatAt: new Date(Date.now() - 1_500) } })
  await eventually(
    () => db.node.count({ where: { id: dead } }),
    (count) => count === 0,
  )
  await Promise.all(leases.map((lease) => lease.stop()))
  expect(await db.node.count()).toBe(0)
}, 30_000)
