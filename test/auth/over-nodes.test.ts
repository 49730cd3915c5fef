import { randomUUID } from 'node:crypto'
import { test as base, describe, expect, vi } from 'vitest'
import type { Bus } from '../../src/bus/bus.ts'
import type { MemoryCluster } from '../../src/bus/memory.ts'
import type { Sql } from '../../src/db/sql.ts'
import { SessionCloser } from '../../src/modules/auth/sessions/closing-sockets.ts'
import { connect, within } from '../support/client.ts'
import { createTestDatabase } from '../support/database.ts'
import { codeOf, redeem, register, startRally } from '../support/server.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { busIn, Clock, registerAndEnter, startNode, type TestNode, test } from './harness.ts'

const SECOND = 1_000
const PONG = { game: 'pong', mode: 'casual' }

/** Three servers on one database and one bus. */
const clusterTest = base
  .extend('cluster', { scope: 'file' }, (): MemoryCluster => new Map())
  .extend('nodes', { scope: 'file' }, async ({ cluster }, { onCleanup }) => {
    const database = await createTestDatabase()
    const first = await startRally({ database, cluster })
    const { secrets } = first.config
    const others = [1, 2].map(() => startRally({ database, cluster, config: { secrets } }))
    const nodes = [first, ...(await Promise.all(others))] as const
    onCleanup(async () => {
      await Promise.all(nodes.map((node) => node.stop()))
      await database.drop()
    })
    return nodes.map(({ url }) => url) as [string, string, string]
  })

describe('on several nodes', () => {
  clusterTest(
    'one cookie signs in everywhere; a logout tells and closes its sockets on every node',
    async ({ nodes }) => {
      const ann = await register(nodes[0], 'ann')
      const bob = await register(nodes[0], 'bob')
      const sockets = await Promise.all(nodes.map((url) => connect(url, { cookie: ann.cookie })))
      const streams = await Promise.all(sockets.map((socket) => socket.subscribe('auth.onSession')))
      await using stays = await connect(nodes[1], { cookie: bob.cookie })
      await sockets[0]?.call('auth.logout')
      for (const socket of sockets) {
        expect(await within(socket.closed, 'the close', SECOND)).toEqual({ code: 4501, reason: 'logout' })
      }
      for (const { events } of streams) expect(await events.next()).toMatchObject({ data: { reason: 'logout' } })
      await using again = await connect(nodes[2], { cookie: ann.cookie })
      expect(again.welcome.user).toBeNull()
      await stays.call('auth.me')
    },
  )

  clusterTest('a sign-in that began on one node begins again on another', async ({ nodes }) => {
    const { secret } = await register(nodes[0], 'cleo')
    const code = codeOf(secret, 1)
    const first = await connect(nodes[0])
    await first.call('auth.begin', { username: 'cleo' })
    await first.close()
    await using second = await connect(nodes[1])
    expect(await second.request('auth.verify', { code })).toMatchObject({
      error: 'NO_CHALLENGE',
      data: { message: expect.stringContaining('begin again') },
    })
    expect(await second.call('auth.begin', { username: 'cleo' })).toEqual({ status: 'user' })
    await second.call('auth.verify', { code })
  })

  clusterTest('a code counts once, and so does a ticket, wherever it is redeemed', async ({ nodes }) => {
    const { secret } = await register(nodes[0], 'dora')
    const code = codeOf(secret, 1)
    const sockets = await Promise.all(nodes.map((url) => connect(url)))
    for (const socket of sockets) await socket.call('auth.begin', { username: 'dora' })
    const answers = await Promise.all(sockets.map((socket) => socket.request('auth.verify', { code })))
    expect(answers.map(({ error }) => error).sort()).toEqual(['INVALID_CODE', 'INVALID_CODE', undefined])
    const token = `${answers.find(({ error }) => error === undefined)?.data.token}`
    const redeemed = await Promise.allSettled(nodes.map((url) => redeem(url, token)))
    expect(redeemed.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    await Promise.all(sockets.map((socket) => socket.close()))
  })

  clusterTest('wrong codes are counted together, and a lock holds on every node', async ({ nodes }) => {
    const { secret } = await register(nodes[0], 'emil')
    const good = [-1, 0, 1, 2].map((steps) => codeOf(secret, steps))
    const wrong = ['000000', '111111', '222222', '333333', '444444'].find((code) => !good.includes(code))
    const tryOn = async (url: string, code: string | undefined) => {
      await using socket = await connect(url)
      await socket.call('auth.begin', { username: 'emil' })
      return (await socket.request('auth.verify', { code })).error
    }
    const [first, second, third] = nodes
    for (const url of [first, second, third, first, second]) expect(await tryOn(url, wrong)).toBe('INVALID_CODE')
    for (const url of nodes) expect(await tryOn(url, codeOf(secret, 1))).toBe('RATE_LIMITED')
  })
})

describe('a session that ended while the bus', () => {
  test('lost the message is found in the database when the bus tells that messages were lost', async ({
    database,
    clock,
    cluster,
    node,
  }) => {
    const bus = busIn(cluster)
    const lost: (() => void)[] = []
    const deaf: Bus = {
      ...bus,
      subscribe(topic, _, onLost) {
        if (onLost) lost.push(onLost)
        return bus.subscribe(topic, () => undefined)
      },
    }
    const other = await startNode({ database, clock, bus: deaf })
    const [ended, stays] = [await registerAndEnter(node), await registerAndEnter(node)]
    const [socket, open] = [other.socketOf(ended.signedIn), other.socketOf(stays.signedIn)]
    // Too long ago for a look at the sessions that ended lately.
    const endedAt = new Date(clock.ms - 60 * SECOND)
    await database.db.session.updateMany({ where: { userId: ended.user.id }, data: { endedAt } })
    for (const tell of lost) tell()
    expect(await within(socket.closed(), 'the close', SECOND)).toMatchObject({ code: 4501 })
    expect(open.peer.closed).toBeUndefined()
    await other.stop()
  })
})

describe('a session that ended on a node without a bus to this one', () => {
  test('closes its sockets within a second, and writes nothing any more', async ({ testDatabase }) => {
    await using first = await startRally({ database: testDatabase })
    await using second = await startRally({ database: testDatabase, config: { secrets: first.config.secrets } })
    const [ann, bob] = [await register(first.url, 'ann'), await register(first.url, 'bob')]
    await using here = await connect(first.url, { cookie: ann.cookie })
    await using there = await connect(second.url, { cookie: ann.cookie })
    await using stays = await connect(second.url, { cookie: bob.cookie })
    await there.call('matches.create', PONG)

    await here.call('auth.logout')
    expect(await within(there.closed, 'the close', SECOND)).toMatchObject({ code: 4501 })
    await using again = await connect(second.url, { cookie: ann.cookie })
    expect(again.welcome.user).toBeNull()
    expect(await again.request('matches.create', PONG)).toMatchObject({ error: 'UNAUTHENTICATED' })
    await stays.call('matches.create', PONG)
  })

  test('by a revoke closes its sockets and no others, also when clocks differ', async ({ database, clock, node }) => {
    const [ahead, behind] = [new Clock(), new Clock()]
    ahead.ms = clock.ms + 4 * SECOND
    behind.ms = clock.ms - 4 * SECOND
    const nodes = [await startNode({ database, clock: ahead }), await startNode({ database, clock: behind })]
    const user = await registerAndEnter(node)
    const stranger = await registerAndEnter(node)
    const ended = nodes.map((each) => each.socketOf(user.signedIn))
    const others = nodes.map((each) => each.socketOf(stranger.signedIn))
    expect(await node.auth.sessions.resume(user.signedIn.sessionId, user.user.id)).not.toBeNull()

    await node.socketOf(user.signedIn).ask('auth.revoke', { sessionId: user.signedIn.sessionId })
    for (const socket of ended) {
      expect(await within(socket.closed(), 'the close', SECOND)).toEqual({ code: 4501, reason: 'ended' })
    }
    for (const socket of others) expect(socket.peer.closed).toBeUndefined()
    await Promise.all(nodes.map((each) => each.stop()))
  })

  test('is found when more sessions ended than one look reads', async ({ database, clock, node }) => {
    const alone = await startNode({ database, clock })
    const { signedIn, user } = await registerAndEnter(node)
    const socket = alone.socketOf(signedIn)
    const past = new Date(clock.ms)
    const row = { userId: user.id, userAgent: '', ip: '', createdAt: past, expiresAt: past, endedAt: past }
    await database.db.session.createMany({ data: Array.from({ length: 1_100 }, () => ({ ...row, id: randomUUID() })) })
    await node.auth.sessions.end(signedIn.sessionId, user.id)
    expect(await within(socket.closed(), 'the close', SECOND)).toMatchObject({ code: 4501 })
    await database.db.session.deleteMany({ where: { userId: user.id } })
    await alone.stop()
  })

  test('while the database was away is found when it is back', async ({ testDatabase, clock, node }) => {
    const direct = new URL(testDatabase.url)
    const proxy = await startTcpProxy(Number(direct.port))
    const through = new URL(testDatabase.url)
    through.hostname = '127.0.0.1'
    through.port = `${proxy.port}`
    const cutOff = await startNode({ database: await testDatabase.open({ url: through.href }), clock })
    const { signedIn, user } = await registerAndEnter(node)
    const socket = cutOff.socketOf(signedIn)
    const warn = vi.spyOn(cutOff.platform.log.of('auth'), 'warn')
    const info = vi.spyOn(cutOff.platform.log.of('auth'), 'info')

    proxy.leadTo(undefined)
    await node.auth.sessions.end(signedIn.sessionId, user.id)
    await expect.poll(() => warn.mock.calls.length, { timeout: 5_000 }).toBe(1)
    clock.advance(60 * SECOND)
    proxy.leadTo(Number(direct.port))
    expect(await socket.closed()).toMatchObject({ code: 4501 })
    await expect.poll(() => info.mock.calls.length, { timeout: 5_000 }).toBe(1)
    expect(warn).toHaveBeenCalledTimes(1)
    await cutOff.stop()
    await proxy.close()
  })
})

describe('looking for ended sessions', () => {
  /** A closer whose question to the database a test sees and answers. */
  const looking = (node: TestNode) => {
    const ask = vi.fn<(since: Date) => Promise<never[]>>(async () => [])
    const { reserved } = node.platform.database
    const watched: Sql = {
      ...reserved,
      rows: (statement, values = []) =>
        statement.name === 'sessions.changedSince' ? ask(values[0] as Date) : reserved.rows(statement, values),
    }
    const platform = { ...node.platform, database: { ...node.platform.database, reserved: watched } }
    return { closer: new SessionCloser(platform, node.clock.now), ask }
  }

  test('asks nothing while no signed-in socket is open', async ({ node }) => {
    const { closer, ask } = looking(node)
    node.socket()
    await closer.look()
    expect(ask).not.toHaveBeenCalled()
    node.socketOf((await registerAndEnter(node)).signedIn)
    await closer.look()
    expect(ask).toHaveBeenCalledTimes(1)
  })

  test('reaches back over a commit, over clocks that differ, and over looks that failed', async ({ clock, node }) => {
    const { closer, ask } = looking(node)
    node.socketOf((await registerAndEnter(node)).signedIn)
    const reach = node.platform.config.database.transactionTimeoutMs + 5 * SECOND
    const start = clock.ms
    await closer.look()
    ask.mockRejectedValue(new Error('away'))
    for (let count = 0; count < 5; count++) {
      clock.advance(SECOND)
      await expect(closer.look()).rejects.toThrow('away')
    }
    ask.mockResolvedValue([])
    await closer.look()
    await closer.look()
    expect(ask.mock.calls.map(([since]) => since.getTime() + reach - start)).toEqual([0, 0, 0, 0, 0, 0, 0, 5 * SECOND])
  })
})
