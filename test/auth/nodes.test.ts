import { randomUUID } from 'node:crypto'
import { describe, expect, vi } from 'vitest'
import { createLoggers } from '../../src/logger.ts'
import { EndedSessions } from '../../src/modules/auth/sessions/closing-sockets.ts'
import { connect, within } from '../support/client.ts'
import { register as registerAt, startRally } from '../support/server.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { Clock, registerAndEnter, startNode, type TestNode, test } from './harness.ts'

const SECOND = 1_000
const PONG = { game: 'pong', mode: 'casual' }

describe('a session that ended on a node without a bus to this one', () => {
  test('closes its sockets within a second, and writes nothing any more', async ({ testDatabase }) => {
    await using first = await startRally({ database: testDatabase })
    await using second = await startRally({ database: testDatabase, config: { secrets: first.config.secrets } })
    const [ann, bob] = [await registerAt(first.url, 'ann'), await registerAt(first.url, 'bob')]
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

  test('by a revoke closes its sockets and no others, also with clocks that differ', async ({
    database,
    clock,
    node,
  }) => {
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

  test('is found among more than one look takes', async ({ database, clock, node }) => {
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

  test('while the database was away is found once it is back', async ({ testDatabase, clock, node }) => {
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
  /** With a query that answers what it is told, and a log to look at. */
  const looking = (node: TestNode) => {
    const since = vi.fn<(since: Date) => Promise<void>>(async () => undefined)
    const log = createLoggers('silent', 'test')
    const platform = { ...node.platform, log }
    const auth = log.of('auth')
    const looks = new EndedSessions(platform, { closeEndedSince: since }, node.clock.now)
    return { looks, since, warn: vi.spyOn(auth, 'warn'), info: vi.spyOn(auth, 'info') }
  }

  test('asks nothing while nobody who is signed in is here', async ({ node }) => {
    const { looks, since } = looking(node)
    node.socket()
    await looks.look()
    expect(since).not.toHaveBeenCalled()
    node.socketOf((await registerAndEnter(node)).signedIn)
    await looks.look()
    expect(since).toHaveBeenCalledTimes(1)
  })

  test('reaches back over a commit and the clocks of nodes, and over looks that failed', async ({ clock, node }) => {
    const { looks, since, warn, info } = looking(node)
    node.socketOf((await registerAndEnter(node)).signedIn)
    const reach = node.platform.config.database.transactionTimeoutMs + 5 * SECOND
    const start = clock.ms
    await looks.look()
    since.mockRejectedValue(new Error('away'))
    for (let count = 0; count < 5; count++) {
      clock.advance(SECOND)
      await looks.look()
    }
    expect(warn).toHaveBeenCalledTimes(1)
    since.mockResolvedValue(undefined)
    await looks.look()
    await looks.look()
    expect(info).toHaveBeenCalledTimes(1)
    expect(since.mock.calls.map(([date]) => date.getTime() + reach - start)).toEqual([0, 0, 0, 0, 0, 0, 0, 5 * SECOND])
  })

  test('does so one at a time, and ends with the service', async ({ database, clock }) => {
    const node = await startNode({ database, clock })
    node.socketOf((await registerAndEnter(node)).signedIn)
    await node.stop()
    const { looks, since } = looking(node)
    let answer = () => {}
    since.mockReturnValue(
      new Promise((resolve) => {
        answer = resolve
      }),
    )
    vi.useFakeTimers()
    try {
      looks.start()
      await vi.advanceTimersByTimeAsync(10 * SECOND)
      expect(since).toHaveBeenCalledTimes(1)
      const stopped = looks.stop()
      answer()
      await stopped
      await vi.advanceTimersByTimeAsync(10 * SECOND)
      expect(since).toHaveBeenCalledTimes(1)
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })
})
