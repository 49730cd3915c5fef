import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { NodeLease } from '../../src/engine/index.ts'
import { games } from '../../src/games/index.ts'
import { OwnedMatches } from '../../src/modules/matches/lifecycle/owned-matches.ts'
import { MatchFeed } from '../../src/modules/matches/match-feed.ts'
import type { Match } from '../../src/modules/matches/types.ts'
import { createTestDatabase } from '../support/database.ts'
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

test.concurrent('a match made at one server and joined at another is run by one of them', async () => {
  await using database = await createTestDatabase()
  const { db } = await database.open()
  const [a, b] = await startTwo(database)
  await using _a = a
  await using _b = b
  const [first, second] = [await newcomer(a), await newcomer(b)]
  const match = await create(first.client)
  await second.client.call('matches.join', { code: match.code })
  const row = await eventually(
    () => db.match.findUniqueOrThrow({ where: { id: match.id } }),
    ({ status }) => status === 'live',
  )
  expect(row).toMatchObject({ fence: 1, nodeId: b.app.platform.node })
  expect([a.app.platform.engine.size, b.app.platform.engine.size]).toEqual([0, 1])
  // Who drops from the server that does not run it loses all the same.
  await first.drop()
  const over = await eventually(
    () => db.match.findUniqueOrThrow({ where: { id: match.id } }),
    ({ status }) => status !== 'live',
  )
  expect(over).toMatchObject({ status: 'finished', winnerSeat: 1, endReason: 'forfeit' })
}, 30_000)

test.concurrent('of two servers that want to start a match one does', async () => {
  await using database = await createTestDatabase()
  const [a, b] = await startTwo(database)
  await using _a = a
  await using _b = b
  const { db } = await database.open()
  const { player, client } = await newcomer(a)
  for (let round = 0; round < 10; round++) {
    // Of nobody who is here, so that no countdown is watched but this one.
    const { id } = await create(client, { mode: 'local' })
    await client.call('matches.leave', { matchId: id })
    await db.match.update({
      where: { id },
      data: { status: 'waiting', startsAt: new Date(Date.now() - 1), rulesVersion: 99 },
    })
    const started: string[] = []
    await Promise.all(
      [a, b, a, b].map(({ app: { platform } }) => {
        return new OwnedMatches(platform, new MatchFeed(platform), () => started.push(platform.node)).claim(id)
      }),
    )
    expect(started).toHaveLength(1)
    expect(await db.match.findUniqueOrThrow({ where: { id } })).toMatchObject({
      fence: 1,
      nodeId: started[0],
      // Of the process that runs it, whichever made it.
      rulesVersion: games.pong.version,
    })
    await db.match.update({ where: { id }, data: { status: 'aborted', createdBy: player.id } })
  }
})

test.concurrent('what a dead server left is settled, and what a living one runs is left alone', async () => {
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
    // That its player is gone may have been noted before, as a change of its own.
    expect([2, 3]).toContain(row.version)
  }
  // The match and its seats are read one after the other: the match may be as it was before its seat was noted.
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

test.concurrent('a server that others took for dead lets go of what they ended', async () => {
  await using rally = await startQuickRally()
  const { db } = await rally.database.open()
  const { client } = await newcomer(rally)
  const watcher = await openSocket(rally)
  const match = await create(client, { mode: 'local', ...CONNECT_FOUR })
  const follower = await follow(watcher, match.id)
  const { version } = await follower.live()
  // As another server would.
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

test.concurrent('a match that a server took without hearing of it is run', async () => {
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

test.concurrent('a match that a server should run, but cannot, is ended', async () => {
  await using rally = await startQuickRally()
  const opened = await rally.database.open()
  const { player, client } = await newcomer(rally)
  const { node } = rally.app.platform
  const id = await leaveBehind(opened, { node, userId: player.id, status: 'live', game: 'chess' })
  const follower = await follow(client, id)
  expect(await follower.over()).toMatchObject({ status: 'aborted', endReason: 'failed' })
}, 30_000)

test.concurrent('nobody is taken for dead because the database was silent', async () => {
  await using database = await createTestDatabase()
  const { db } = await database.open()
  const proxy = await startTcpProxy()
  try {
    const { hostname, port, pathname } = new URL(database.url)
    const leadTo = () => proxy.leadTo({ host: hostname, port: Number(port) })
    leadTo()
    const through = new URL(databaseUrl(database.url, pathname.slice(1)))
    through.host = `127.0.0.1:${proxy.port}`
    const cut = await database.open({ url: through.href, connectTimeoutMs: 200 })
    let removals = 0
    const leases = [1, 2, 3].map(
      () =>
        new NodeLease({
          sql: cut.reserved,
          node: randomUUID(),
          leaseMs: 1_000,
          onError: () => undefined,
        }),
    )
    for (const lease of leases) {
      lease.onDead(async () => void removals++)
      await lease.start()
    }
    const entered = await db.node.findMany({ orderBy: { id: 'asc' } })
    await eventually(
      async () => removals,
      (count) => count > 0,
    )

    proxy.leadTo(undefined)
    await delay(2_500)
    leadTo()
    const before = removals
    await eventually(
      async () => removals,
      (count) => count > before + 3,
    )
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
  } finally {
    await proxy.close()
  }
}, 30_000)
