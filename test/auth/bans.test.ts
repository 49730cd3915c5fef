import { describe, expect } from 'vitest'
import { Authorized } from '../../src/modules/auth/types.ts'
import { connect, within } from '../support/client.ts'
import { register as registerPlayer, startRally } from '../support/server.ts'
import { begun, register, registerAndEnter } from './harness.ts'
import { askedForPasskey, registerKeyed, test } from './passkey-harness.ts'

const HOUR = 60 * 60_000

describe('a banned user', () => {
  test('is told why and until when, but only after the code is proved', async ({ database, clock, node }) => {
    const { user, secret, recoveryCodes } = await register(node)
    const bannedUntil = new Date(clock.ms + HOUR)
    const ban = { bannedAt: new Date(clock.ms), bannedUntil, banReason: 'cheated' }
    await database.db.user.update({ where: { id: user.id }, data: ban })
    clock.advance(30_000)
    const socket = await begun(node, user.username)
    const wrong = [0, 1].map((n) => `${n}`.repeat(6)).find((code) => code !== clock.code(secret))
    expect(await socket.ask('auth.verify', { code: wrong })).toMatchObject({ error: 'INVALID_CODE' })
    const refused = {
      error: 'BANNED',
      data: { message: expect.stringMatching(/^You are banned until .*: cheated$/), retryAfterMs: HOUR - 30_000 },
    }
    expect(await socket.ask('auth.verify', { code: clock.code(secret) })).toMatchObject(refused)

    const [recoveryCode] = recoveryCodes
    const recover = (code = recoveryCode) =>
      node.socket().ask('auth.recover', { username: user.username, recoveryCode: code })
    expect(await recover('0000-0000-0000-0000')).toMatchObject({ error: 'INVALID_CODE' })
    expect(await recover()).toMatchObject(refused)
    // The code was not used up, and the ban is over.
    clock.advance(HOUR)
    expect(Authorized.parse((await recover()).data).user.id).toBe(user.id)
    expect(await recover()).toMatchObject({ error: 'INVALID_CODE' })
  })

  test('whose code was proved before the ban is refused at the passkey, and keeps the recovery code', async ({
    database: { db },
    keyed: node,
  }) => {
    const keyed = await registerKeyed(node)
    const { id } = keyed.user
    const [one, two] = [await askedForPasskey(node, keyed), await askedForPasskey(node, keyed)]
    await db.user.update({ where: { id }, data: { bannedAt: new Date(node.clock.ms), banReason: 'cheated' } })
    const refused = { error: 'BANNED', data: { message: 'You are banned: cheated' } }
    const [recoveryCode] = keyed.recoveryCodes
    expect(await one.socket.ask('auth.recoverPasskey', { recoveryCode })).toMatchObject(refused)
    expect(await db.recoveryCode.count({ where: { userId: id, usedAt: { not: null } } })).toBe(0)
    const credential = keyed.key.sign(two.request)
    expect(await two.socket.ask('auth.verifyPasskey', { credential })).toMatchObject(refused)
    expect(await db.passkey.findFirst({ where: { userId: id } })).toMatchObject({ lastUsedAt: null })
  })

  test('cannot use a ticket or a session from before the ban', async ({ database, clock, node }) => {
    const ticket = await register(node)
    const session = await registerAndEnter(node)
    await database.db.user.updateMany({ data: { bannedAt: new Date(clock.ms), banReason: 'cheated' } })
    const { sessions } = node.auth
    const from = { ip: '192.0.2.1', userAgent: 'test' }
    await expect(sessions.redeem(ticket.token, from)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    const { sessionId } = session.signedIn
    for (const ask of ['resume', 'extend'] as const) {
      await expect(sessions[ask](sessionId, session.user.id)).rejects.toMatchObject({ code: 'BANNED' })
    }
    expect(await sessions.find(sessionId, session.user.id)).toBeNull()
    await database.db.user.updateMany({ data: { bannedAt: null, banReason: null } })
    expect(await sessions.resume(sessionId, session.user.id)).toMatchObject({ sessionId })
  })
})

test('a socket that is opened with the cookie of a banned user is closed with 4503 and the reason', async ({
  testDatabase,
}) => {
  await using rally = await startRally({ database: testDatabase })
  const ann = await registerPlayer(rally.url, 'ann')
  const database = await testDatabase.open()
  const banReason = `cheated ${'é'.repeat(100)}`
  await database.db.user.updateMany({ data: { bannedAt: new Date(), banReason } })
  const opening = connect(rally.url, { cookie: ann.cookie })
  await expect(within(opening, 'the refusal')).rejects.toThrow(/closed with 4503 You are banned: cheated é+… /)
})
