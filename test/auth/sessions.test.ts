import { randomUUID } from 'node:crypto'
import { base64url, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect } from 'vitest'
import { Authorized, SessionInfo, User } from '../../src/modules/auth/types.ts'
import { listOf } from '../../src/modules/pages.ts'
import { plainScope } from '../../src/modules/scope.ts'
import { Call, RpcError } from '../../src/rpc/index.ts'
import { frameOf } from '../support/frame.ts'
import {
  begun,
  busIn,
  type Clock,
  config,
  freshName,
  recorded,
  register,
  registerAndEnter,
  startNode,
  type TestNode,
  test,
} from './harness.ts'

const DAY = 24 * 60 * 60_000
const Sessions = listOf(SessionInfo)
const from = { ip: '192.0.2.1', userAgent: 'test' }

async function signInAgain(node: TestNode, user: { secret: string; user: { username: string } }) {
  node.clock.advance(30_000)
  const socket = await begun(node, user.user.username)
  const { token } = await socket.get(Authorized, 'auth.verify', { code: node.clock.code(user.secret) })
  return node.auth.sessions.redeem(token, from)
}

describe('a ticket', () => {
  test('opens one session, also when it comes twice at the same time', async ({ database, clock, node, otherNode }) => {
    const { token, user } = await register(node)
    const results = await Promise.allSettled([
      node.auth.sessions.redeem(token, { ip: '192.0.2.9', userAgent: 'x'.repeat(300) }),
      otherNode.auth.sessions.redeem(token, { ip: '192.0.2.9', userAgent: 'x'.repeat(300) }),
    ])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await expect(node.auth.sessions.redeem(token, from)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    const rows = await database.db.session.findMany({ where: { userId: user.id } })
    expect(rows).toHaveLength(1)
    expect(rows[0]).toMatchObject({ ip: '192.0.2.9', userAgent: 'x'.repeat(200), endedAt: null })
    expect(rows[0]?.expiresAt.getTime()).toBe(clock.ms + 30 * DAY)
  })

  test('is refused after thirty seconds', async ({ clock, node }) => {
    const { token } = await register(node)
    clock.advance(30_000)
    await expect(node.auth.sessions.redeem(token, from)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  const { ticket: key, cookie } = config().secrets
  /** `issued` and `ends` are seconds from now. */
  const claims = { iss: 'rally', aud: 'rally:session', issued: 0, ends: 20, hasEnd: true, hasId: true, id: 'ticket' }
  const jwt = ({ ms }: Clock, sub: string, changes: Partial<typeof claims> = {}, alg = 'HS256', signedWith = key) => {
    const { iss, aud, issued, ends, hasEnd, hasId, id } = { ...claims, id: randomUUID() as string, ...changes }
    const draft = new SignJWT({ version: 0 })
      .setProtectedHeader({ alg })
      .setIssuer(iss)
      .setAudience(aud)
      .setSubject(sub)
    draft.setIssuedAt(Math.floor(ms / 1000) + issued)
    if (hasId) draft.setJti(id)
    if (hasEnd) draft.setExpirationTime(Math.floor(ms / 1000) + ends)
    return draft.sign(signedWith)
  }

  test('of the right form is accepted, so the forgeries below fail because of what they change', async ({
    clock,
    node,
  }) => {
    const { user } = await register(node)
    await expect(node.auth.sessions.redeem(await jwt(clock, user.id), from)).resolves.toMatchObject({
      user: { id: user.id },
    })
  })

  test('of a node whose clock is a little ahead is accepted', async ({ clock, node }) => {
    const { user } = await register(node)
    const token = await jwt(clock, user.id, { issued: 4, ends: 34 })
    await expect(node.auth.sessions.redeem(token, from)).resolves.toMatchObject({ user: { id: user.id } })
  })

  test.for<[string, (sub: string, clock: Clock) => string | Promise<string>]>([
    ['signed with another key', (sub, clock) => jwt(clock, sub, {}, 'HS256', cookie)],
    ['with another algorithm', (sub, clock) => jwt(clock, sub, {}, 'HS512')],
    ['of another issuer', (sub, clock) => jwt(clock, sub, { iss: 'other' })],
    ['for another audience', (sub, clock) => jwt(clock, sub, { aud: 'rally:cookie' })],
    ['without an end', (sub, clock) => jwt(clock, sub, { hasEnd: false })],
    ['that lives for a day', (sub, clock) => jwt(clock, sub, { ends: 86_400 })],
    ['that lives for 31 s', (sub, clock) => jwt(clock, sub, { ends: 31 })],
    ['that has lived for a day', (sub, clock) => jwt(clock, sub, { issued: -86_400 })],
    ['of tomorrow', (sub, clock) => jwt(clock, sub, { issued: 86_400, ends: 86_430 })],
    ['with an empty id', (sub, clock) => jwt(clock, sub, { id: '' })],
    ['without an id', (sub, clock) => jwt(clock, sub, { hasId: false })],
    ['for nobody', (_, clock) => jwt(clock, 'nobody-with-this-id')],
    [
      'with alg none',
      (sub, { ms }) =>
        new UnsecuredJWT({ version: 0 })
          .setIssuer('rally')
          .setAudience('rally:session')
          .setJti(randomUUID())
          .setSubject(sub)
          .setIssuedAt(Math.floor(ms / 1000))
          .setExpirationTime(Math.floor(ms / 1000) + 20)
          .encode(),
    ],
    [
      'whose header was changed to none',
      async (sub, clock) => {
        const [, payload] = (await jwt(clock, sub)).split('.')
        return `${base64url.encode('{"alg":"none"}')}.${payload}.`
      },
    ],
    ['cut short', async (sub, clock) => (await jwt(clock, sub)).slice(0, -4)],
    ['that is no JWT', () => 'ticket'],
    ['that is empty', () => ''],
  ])('%s is refused', async ([, forge], { database, clock, node }) => {
    const { user } = await register(node)
    const before = await database.db.session.count()
    await expect(node.auth.sessions.redeem(await forge(user.id, clock), from)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    })
    expect(await database.db.session.count()).toBe(before)
  })

  test('needs a key of 32 bytes', async ({ database, clock }) => {
    const weak = config()
    const start = startNode({
      database,
      clock,
      config: { ...weak, secrets: { ...weak.secrets, ticket: new Uint8Array(5) } },
    })
    await expect(start).rejects.toThrow(/32 bytes/)
  })
})

describe('a session', () => {
  test('is resumed by its own user until it ends', async ({ node, otherNode }) => {
    const { signedIn, user } = await registerAndEnter(node)
    const { sessions: gate } = otherNode.auth
    expect(await gate.resume(signedIn.sessionId, user.id)).toEqual(signedIn)
    expect(await gate.resume(signedIn.sessionId, 'somebody-else')).toBeNull()
    expect(await gate.resume('no-such-session', user.id)).toBeNull()
    await node.auth.sessions.end(signedIn.sessionId, user.id)
    expect(await gate.resume(signedIn.sessionId, user.id)).toBeNull()
    expect(await gate.extend(signedIn.sessionId, user.id)).toBeNull()
  })

  test('is over after thirty days, unless it was extended', async ({ clock, node }) => {
    const [left, kept] = [await registerAndEnter(node), await registerAndEnter(node)]
    clock.advance(20 * DAY)
    expect(await node.auth.sessions.extend(kept.signedIn.sessionId, kept.user.id)).toEqual({
      ...kept.signedIn,
      expiresAt: clock.ms + 30 * DAY,
    })
    clock.advance(10 * DAY)
    expect(await node.auth.sessions.resume(left.signedIn.sessionId, left.user.id)).toBeNull()
    expect(await node.auth.sessions.extend(left.signedIn.sessionId, left.user.id)).toBeNull()
    expect(await node.auth.sessions.resume(kept.signedIn.sessionId, kept.user.id)).not.toBeNull()
  })

  test('is extended by one look-up and one write, also when nobody has seen it for long', async ({
    database,
    clock,
    node,
  }) => {
    const { signedIn, user } = await registerAndEnter(node)
    clock.advance(10 * 60_000)
    const watched = recorded(database)
    const own = await startNode({ database: watched.database, clock })
    await own.auth.sessions.extend(signedIn.sessionId, user.id)
    expect(watched.statements).toEqual(['sessions.byId', 'sessions.extend'])
    const { items } = await node.socketOf(signedIn).get(Sessions, 'auth.sessions')
    expect(items).toMatchObject([{ lastSeenAt: clock.ms, expiresAt: clock.ms + 30 * DAY }])
    await own.stop()
  })

  test('says when it was last seen', async ({ clock, node }) => {
    const { signedIn, user } = await registerAndEnter(node)
    clock.advance(10 * 60_000)
    await node.auth.sessions.resume(signedIn.sessionId, user.id)
    const { items } = await node.socketOf(signedIn).get(Sessions, 'auth.sessions')
    expect(items).toMatchObject([{ current: true, lastSeenAt: clock.ms, createdAt: clock.ms - 10 * 60_000 }])
  })

  test('is listed with the others, newest first, a page at a time', async ({ node }) => {
    const user = await registerAndEnter(node)
    const ids = [user.signedIn.sessionId]
    for (let index = 0; index < 4; index++) ids.unshift((await signInAgain(node, user)).sessionId)
    const socket = node.socketOf(user.signedIn)
    const all = await socket.get(Sessions, 'auth.sessions')
    expect(all.items.map(({ id }) => id)).toEqual(ids)
    expect(all.items.map(({ current }) => current)).toEqual([false, false, false, false, true])
    expect(all).not.toHaveProperty('nextCursor')

    const pages: string[][] = []
    let cursor: string | undefined
    do {
      const page = await socket.get(Sessions, 'auth.sessions', { limit: 2, ...(cursor && { cursor }) })
      pages.push(page.items.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor)
    expect(pages).toEqual([ids.slice(0, 2), ids.slice(2, 4), ids.slice(4)])
    expect(await socket.ask('auth.sessions', { cursor: 'x' })).toMatchObject({ error: 'VALIDATION_FAILED' })
  })
})

describe('ending', () => {
  test('logout answers, tells the stream, then closes the sockets of this session on every node', async ({
    node,
    otherNode,
  }) => {
    const user = await registerAndEnter(node)
    const second = await signInAgain(node, user)
    const [here, there] = [node.socketOf(user.signedIn), otherNode.socketOf(user.signedIn)]
    const elsewhere = node.socketOf(second)
    for (const socket of [here, there]) {
      const opening = await socket.ask('auth.onSession')
      expect(opening.data).toMatchObject({ seq: 0, snapshot: { id: user.signedIn.sessionId } })
    }
    expect(await here.ask('auth.logout', {}, 'bye')).toMatchObject({ data: {} })
    expect(await here.closed()).toMatchObject({ code: 4501 })
    expect(await there.closed()).toMatchObject({ code: 4501, reason: 'logout' })
    for (const { peer } of [here, there]) {
      const channel = `auth.onSession/${user.signedIn.sessionId}`
      expect(peer.frames.filter(({ eid }) => eid === channel)).toMatchObject([{ seq: 1, data: { reason: 'logout' } }])
    }
    expect(here.peer.frames.some(({ eid }) => eid === 'bye')).toBe(true)
    expect(elsewhere.peer.closed).toBeUndefined()
    expect(await elsewhere.get(User, 'auth.me')).toEqual(user.user)
  })

  test('revoke ends one session of the user, and no other', async ({ node, otherNode }) => {
    const user = await registerAndEnter(node)
    const second = await signInAgain(node, user)
    const stranger = await registerAndEnter(node)
    const [own, revoked, strange] = [
      node.socketOf(user.signedIn),
      otherNode.socketOf(second),
      otherNode.socketOf(stranger.signedIn),
    ]
    const notFound = { error: 'NOT_FOUND' }
    const { sessionId } = second
    expect(await strange.ask('auth.revoke', { sessionId })).toMatchObject(notFound)
    expect(await own.ask('auth.revoke', { sessionId: stranger.signedIn.sessionId })).toMatchObject(notFound)
    expect((await own.ask('auth.revoke', { sessionId })).error).toBeUndefined()
    expect(await revoked.closed()).toEqual({ code: 4501, reason: 'revoked' })
    expect(await own.ask('auth.revoke', { sessionId })).toMatchObject(notFound)
    expect(await node.auth.sessions.resume(sessionId, user.user.id)).toBeNull()
    expect(own.peer.closed).toBeUndefined()
    expect(strange.peer.closed).toBeUndefined()
  })

  test('the stream of an ended session does not open', async ({ database, clock, node }) => {
    const { signedIn, user } = await registerAndEnter(node)
    const socket = node.socketOf(signedIn)
    await database.db.session.updateMany({ where: { userId: user.id }, data: { endedAt: new Date(clock.ms) } })
    expect(await socket.ask('auth.onSession')).toMatchObject({ error: 'UNAUTHENTICATED' })
  })

  test('a session that ended long ago without anybody noticing is found by the check of every 60th look', async ({
    database,
    clock,
    node,
  }) => {
    const alone = await startNode({ database, clock })
    const { signedIn, user } = await registerAndEnter(node)
    const staying = await registerAndEnter(node)
    const [ended, stays] = [alone.socketOf(signedIn), alone.socketOf(staying.signedIn)]
    const longAgo = new Date(clock.ms - 60_000)
    await database.db.session.updateMany({ where: { userId: user.id }, data: { endedAt: longAgo } })
    for (let looks = 0; looks < 61; looks++) await alone.auth.closer.look()
    expect(await ended.closed()).toMatchObject({ code: 4501 })
    expect(stays.peer.closed).toBeUndefined()
    await alone.stop()
  })

  test('an expired session is ended, announced and at last deleted', async ({ database, clock, node }) => {
    const { signedIn, user, token } = await registerAndEnter(node)
    const socket = node.socketOf(signedIn)
    await socket.ask('auth.onSession')
    const count = async () => [
      await database.db.session.count({ where: { userId: user.id } }),
      await database.db.usedTicket.count({ where: { expiresAt: { lt: new Date(clock.ms - 2 * DAY) } } }),
      await database.db.attempt.count({ where: { windowStart: { lt: new Date(clock.ms - 2 * DAY) } } }),
    ]
    clock.advance(30 * DAY)
    expect((await count()).every((rows) => rows > 0)).toBe(true)
    await node.auth.cleanUp(plainScope(node.platform))
    expect(await socket.closed()).toEqual({ code: 4501, reason: 'expired' })
    expect(socket.peer.frames.at(-1)).toMatchObject({ type: 'auth.onSession', data: { reason: 'expired' } })
    expect(await count()).toEqual([1, 0, 0])
    clock.advance(DAY + 1)
    await node.auth.cleanUp(plainScope(node.platform))
    expect(await count()).toEqual([0, 0, 0])
    await expect(node.auth.sessions.redeem(token, from)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })
})

describe('looking sessions up', () => {
  test('takes one query for all of one turn of the event loop, and one to write when they were seen', async ({
    database,
    clock,
    node,
  }) => {
    const users = await Promise.all(Array.from({ length: 20 }, () => registerAndEnter(node)))
    clock.advance(10 * 60_000)
    const watched = recorded(database)
    const own = await startNode({ database: watched.database, clock })
    const found = await Promise.all(
      users.map(({ signedIn, user }) => own.auth.sessions.resume(signedIn.sessionId, user.id)),
    )
    expect(found).toEqual(users.map(({ signedIn }) => signedIn))
    expect(watched.statements).toEqual(['sessions.byId', 'sessions.touch'])
    await own.stop()
  })

  test('asks once for a cookie whose session has ended or never was', async ({ database, clock, node, otherNode }) => {
    const { signedIn, user } = await registerAndEnter(node)
    await otherNode.auth.sessions.end(signedIn.sessionId, user.id)
    const watched = recorded(database)
    const { auth, stop } = await startNode({ database: watched.database, clock })
    for (const sessionId of [signedIn.sessionId, randomUUID()]) {
      watched.statements.length = 0
      expect(await auth.sessions.resume(sessionId, user.id)).toBeNull()
      expect(await auth.sessions.resume(sessionId, user.id)).toBeNull()
      expect(await auth.sessions.extend(sessionId, user.id)).toBeNull()
      await auth.sessions.end(sessionId, user.id)
      expect(watched.statements).toEqual(['sessions.byId'])
    }
    await stop()
  })

  test('asks no more for a session that ended here, or that the bus told of', async ({
    database,
    clock,
    cluster,
    node,
  }) => {
    const watched = recorded(database)
    const own = await startNode({ database: watched.database, clock, bus: busIn(cluster) })
    const [first, second] = [await registerAndEnter(node), await registerAndEnter(node)]
    await own.auth.sessions.end(first.signedIn.sessionId, first.user.id)
    await node.auth.sessions.end(second.signedIn.sessionId, second.user.id)
    watched.statements.length = 0
    for (const { signedIn, user } of [first, second]) {
      expect(await own.auth.sessions.resume(signedIn.sessionId, user.id)).toBeNull()
    }
    expect(watched.statements).toEqual([])
    await own.stop()
  })

  test('does not remember a session as ended when a clock was wrong or another user named it', async ({
    clock,
    node,
  }) => {
    const { signedIn, user } = await registerAndEnter(node)
    clock.advance(31 * DAY)
    expect(await node.auth.sessions.resume(signedIn.sessionId, user.id)).toBeNull()
    clock.advance(-31 * DAY)
    expect(await node.auth.sessions.resume(signedIn.sessionId, 'somebody-else')).toBeNull()
    expect(await node.auth.sessions.resume(signedIn.sessionId, user.id)).toEqual(signedIn)
  })
})

describe('a socket', () => {
  test('is told at once whose it is, without a query', async ({ node }) => {
    const { signedIn, user } = await registerAndEnter(node)
    const { connection, peer } = node.socketOf(signedIn)
    node.dispatcher.receive(connection, frameOf('auth.me', {}, 'me'))
    expect(peer.frames).toMatchObject([{ type: 'auth.me', eid: 'me', data: user }])
  })

  test('without a session is told to sign in', async ({ node }) => {
    const socket = node.socket()
    for (const type of ['auth.me', 'auth.logout', 'auth.sessions', 'auth.rotateTotp', 'auth.onSession']) {
      expect(await socket.ask(type)).toMatchObject({ error: 'UNAUTHENTICATED' })
    }
  })

  test('over HTTP has no socket for a challenge', async ({ node }) => {
    const { caller } = node.socket().connection
    const call = new Call(caller, null, 'auth.begin', 'http')
    const forbidden = expect.objectContaining({ code: 'FORBIDDEN' })
    await expect(node.auth.signIn.begin(call, freshName())).rejects.toEqual(forbidden)
    await expect(node.auth.signIn.verify(call, '123456')).rejects.toBeInstanceOf(RpcError)
    await expect(node.auth.signIn.verify(call, '123456')).rejects.toEqual(forbidden)
  })
})
