import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Overview } from '../../src/modules/admin/types.ts'
import { newAdmin } from '../support/admins.ts'
import { connect, within } from '../support/client.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type Newcomer, newcomer, openSocket } from '../support/newcomers.ts'
import { matchTimes } from '../support/rally-test.ts'
import { isRedisInstalled, needsRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { type Rally, startRally } from '../support/server.ts'

const SECOND = 1_000

let database: TestDatabase
let redis: TestRedis | undefined

/** Two nodes on one database: with the same Redis, or with none, so that only the database tells one of the other. */
async function startNodes(redisUrl: string | undefined): Promise<[Rally, Rally]> {
  const shared = { redisUrl, matches: matchTimes() }
  const first = await startRally({ database, config: shared })
  return [first, await startRally({ database, config: { ...shared, secrets: first.config.secrets } })]
}

beforeAll(async () => {
  database = await createTestDatabase()
  if (isRedisInstalled) redis = await startRedis()
})
afterAll(async () => {
  await redis?.[Symbol.asyncDispose]()
  await database.drop()
})

describe.each(['over Redis', 'without a message between the nodes'])('%s', (how) => {
  const isRedis = how === 'over Redis'
  if (isRedis) needsRedis()
  let nodes: [Rally, Rally]
  let chief: Newcomer

  beforeAll(async () => {
    if (isRedis && !redis) return
    nodes = await startNodes(isRedis ? redis?.url : undefined)
    chief = await newAdmin(nodes[0])
  })
  afterAll(async () => {
    await Promise.all(nodes?.map((node) => node.stop()) ?? [])
  })

  /** A player with a socket to each node. */
  const onBoth = async () => {
    const player = await newcomer(nodes[1])
    return { player, sockets: [await openSocket(nodes[0], player.player), player.client] }
  }

  test('a ban closes the sockets on every node within a second, and no seat is taken after it', async () => {
    const { player, sockets } = await onBoth()
    const stays = await newcomer(nodes[1])
    const userId = player.player.id
    await chief.client.call('admin.ban', { userId, reason: 'cheats' })
    // The node that wrote the ban has closed its socket. The other one may not have heard of the ban.
    const data = { game: 'pong', mode: 'casual' }
    for (const socket of sockets) socket.send(JSON.stringify({ type: 'matches.create', data, eid: 'e', ts: 0 }))
    for (const { closed } of sockets) {
      expect(await within(closed, 'the close', SECOND)).toEqual({ code: 4503, reason: 'You are banned: cheats' })
    }
    const { db } = nodes[0].app.platform.database
    expect(await db.match.count({ where: { createdBy: userId } })).toBe(0)
    expect(await db.seat.count({ where: { userId } })).toBe(0)
    for (const { url } of nodes) {
      await expect(connect(url, { cookie: player.player.cookie })).rejects.toThrow('closed with 4503')
    }
    await stays.client.call('auth.me')
  })

  test('ended sessions close the sockets on every node within a second', async () => {
    const { player, sockets } = await onBoth()
    await chief.client.call('admin.endSessions', { userId: player.player.id })
    for (const { closed } of sockets) expect(await within(closed, 'the close', SECOND)).toMatchObject({ code: 4501 })
  })

  test('a role is given and taken on every node within a second', async () => {
    const { player, sockets } = await onBoth()
    const userId = player.player.id
    await chief.client.call('admin.setRole', { userId, role: 'admin' })
    for (const { closed } of sockets) expect(await within(closed, 'the close', SECOND)).toMatchObject({ code: 4001 })
    const again = await Promise.all(nodes.map((node) => openSocket(node, player.player)))
    for (const socket of again) await socket.call('admin.users')
    await chief.client.call('admin.setRole', { userId, role: 'player' })
    for (const { closed } of again) expect(await within(closed, 'the close', SECOND)).toMatchObject({ code: 4001 })
    const last = await openSocket(nodes[1], player.player)
    expect(await last.request('admin.users')).toMatchObject({ error: 'FORBIDDEN' })
  })
})

describe('over Redis', () => {
  needsRedis()

  test('a ban reaches the other node within a second also while Redis is gone', async () => {
    await using own = await startRedis()
    const nodes = await startNodes(own.url)
    try {
      const [chief, bad] = await Promise.all([newAdmin(nodes[0]), newcomer(nodes[1])])
      await own.stop()
      await chief.client.call('admin.ban', { userId: bad.player.id, reason: 'cheats' })
      expect(await within(bad.client.closed, 'the close', SECOND)).toMatchObject({ code: 4503 })
    } finally {
      await Promise.all(nodes.map((node) => node.stop()))
    }
  })

  test('a match that runs on another node is aborted, and the overview has both nodes', async () => {
    const nodes = await startNodes(redis?.url)
    const [here, there] = nodes
    try {
      const chief = await newAdmin(here)
      const [one, two] = await Promise.all([newcomer(there), newcomer(there)])
      const pong = { game: 'pong', mode: 'casual', visibility: 'private' }
      const { id, code } = await one.client.call<{ id: string; code: string }>('matches.create', pong)
      const updates = await two.client.subscribe('matches.onUpdate', { matchId: id })
      await two.client.call('matches.join', { code })
      await updates.events.next(({ data }) => data.status === 'live', 10_000)

      const { items } = await chief.client.call<{ items: { id: string }[] }>('admin.matches', { status: 'live' })
      expect(items.map((match) => match.id)).toContain(id)
      // A private match can be watched by its id.
      const watched = await chief.client.subscribe('live.onState', { matchId: id })
      const stream = await chief.client.subscribe('admin.onOverview')
      const overview = await stream.events.next(({ data }) => Overview.parse(data).nodes.length === 2, 10_000)
      expect(overview.data).toMatchObject({ liveMatches: 1, silentNodes: [] })
      const { nodes: told } = Overview.parse((await stream.events.next(undefined, 10_000)).data)
      expect(told.map((node) => node.id).toSorted()).toEqual(nodes.map(({ app }) => app.platform.node).toSorted())
      for (const { requestsPerSecond, version } of told) {
        expect([requestsPerSecond, version]).toEqual([expect.any(Number), here.app.platform.version])
      }

      expect(await chief.client.call('admin.abort', { matchId: id, reason: 'stuck' })).toMatchObject({
        status: 'aborted',
      })
      const over = await updates.events.next(({ data }) => data.status === 'aborted')
      expect(over.data).toMatchObject({ endReason: 'stopped' })
      expect(await watched.events.next(({ error }) => error !== undefined)).toMatchObject({
        data: { reason: 'aborted' },
      })
      await expect.poll(() => there.app.platform.engine.size).toBe(0)
    } finally {
      await Promise.all(nodes.map((node) => node.stop()))
    }
  })
})
