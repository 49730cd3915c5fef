import { expect } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { Authorized, Candidate, PasskeyAsked, Rotated } from '../../src/modules/auth/types.ts'
import type { SignedIn } from '../../src/rpc/index.ts'
import { begun, register, registerAndEnter, type TestNode } from '../auth/harness.ts'
import { askedForPasskey, creationOf, enterKeyed, PUBLIC_URL, registerKeyed, test } from '../auth/passkey-harness.ts'
import { SoftwareAuthenticator } from '../support/software-authenticator.ts'

// A request that began before an admin reset an authenticator, and ended after it, gave the account to whoever sent it. So did
// one that began before its user replaced the authenticator, or in a session that had ended when it came.

const HOUR = 60 * 60_000
const FROM = { ip: '192.0.2.1', userAgent: 'test' }
const NO_CHALLENGE = { error: 'NO_CHALLENGE' }

/** As an admin's reset, of which the sockets of the user have not heard yet. */
async function reset({ db }: Database, userId: string, at: number): Promise<void> {
  await db.passkey.deleteMany({ where: { userId } })
  const data = { authenticatorResetAt: new Date(at), signInVersion: { increment: 1 } }
  await db.user.update({ where: { id: userId }, data })
  await endUnheard(db, userId, at)
}

/** Ends the sessions of a user. Nodes look only for what ended lately, so they do not close the sockets. */
async function endUnheard(db: Database['db'], userId: string, at: number): Promise<void> {
  await db.session.updateMany({ where: { userId, endedAt: null }, data: { endedAt: new Date(at - HOUR) } })
}

/** As the owner does on the account page. */
async function rotate(node: TestNode, signedIn: SignedIn): Promise<void> {
  const socket = node.socketOf(signedIn)
  const { secret } = await socket.get(Candidate, 'auth.rotateTotp')
  const rotated = await socket.get(Rotated, 'auth.rotateTotp', { code: node.clock.code(secret) })
  expect(rotated.status).toBe('rotated')
}

test('a first passkey that was asked for before a reset is not taken after it', async ({ node, keyed, database }) => {
  const { user, secret } = await register(node)
  const { clock } = keyed
  clock.advance(30_000)
  const socket = await begun(keyed, user.username)
  const creation = creationOf(await socket.get(PasskeyAsked, 'auth.verify', { code: clock.code(secret) }))
  await reset(database, user.id, clock.ms)
  const credential = new SoftwareAuthenticator(PUBLIC_URL).create(creation)
  expect(await socket.ask('auth.verifyPasskey', { credential })).toMatchObject(NO_CHALLENGE)
  expect(await database.db.passkey.count({ where: { userId: user.id } })).toBe(0)
})

test('a passkey in place of a lost one is not taken after a reset', async ({ keyed: node, database }) => {
  const keyed = await registerKeyed(node)
  const { socket } = await askedForPasskey(node, keyed)
  const [recoveryCode] = keyed.recoveryCodes
  const creation = creationOf(await socket.get(PasskeyAsked, 'auth.recoverPasskey', { recoveryCode }))
  await reset(database, keyed.user.id, node.clock.ms)
  const credential = new SoftwareAuthenticator(PUBLIC_URL).create(creation)
  expect(await socket.ask('auth.verifyPasskey', { credential })).toMatchObject(NO_CHALLENGE)
})

test('a session from before a reset changes neither passkeys nor the authenticator', async ({
  keyed: node,
  database,
}) => {
  const { user, signedIn } = await enterKeyed(node)
  const socket = node.socketOf(signedIn)
  const creation = creationOf(PasskeyAsked.parse((await socket.ask('auth.addPasskey')).data))
  const rotating = node.socketOf(signedIn)
  const { data } = await rotating.ask('auth.rotateTotp')
  const before = await database.db.user.findUniqueOrThrow({ where: { id: user.id } })
  await reset(database, user.id, node.clock.ms)
  const credential = new SoftwareAuthenticator(PUBLIC_URL).create(creation)
  expect(await socket.ask('auth.addPasskey', { credential, name: 'Late' })).toMatchObject(NO_CHALLENGE)
  const code = node.clock.code(String(data.secret))
  expect(await rotating.ask('auth.rotateTotp', { code })).toMatchObject(NO_CHALLENGE)
  expect(await database.db.passkey.count({ where: { userId: user.id } })).toBe(0)
  const after = await database.db.user.findUniqueOrThrow({ where: { id: user.id } })
  expect(after.totpSecret).toEqual(before.totpSecret)
})

test('a ticket from before its user replaced the authenticator opens no session', async ({ node }) => {
  const { user, secret, recoveryCodes, signedIn } = await registerAndEnter(node)
  node.clock.advance(30_000)
  const thief = await begun(node, user.username)
  const byCode = await thief.get(Authorized, 'auth.verify', { code: node.clock.code(secret) })
  const [recoveryCode] = recoveryCodes
  const byRecovery = await node.socket().get(Authorized, 'auth.recover', { username: user.username, recoveryCode })
  await rotate(node, signedIn)
  for (const { token } of [byCode, byRecovery]) {
    await expect(node.auth.sessions.redeem(token, FROM)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  }
  // The session that replaced it may do so again.
  await rotate(node, signedIn)
})

test('a passkey in place of a lost one is not taken after its user replaced the authenticator', async ({
  keyed: node,
  database,
}) => {
  const keyed = await enterKeyed(node)
  const { socket } = await askedForPasskey(node, keyed)
  const [recoveryCode] = keyed.recoveryCodes
  const creation = creationOf(await socket.get(PasskeyAsked, 'auth.recoverPasskey', { recoveryCode }))
  const before = await database.db.passkey.findMany({ where: { userId: keyed.user.id } })
  await rotate(node, keyed.signedIn)
  const credential = new SoftwareAuthenticator(PUBLIC_URL).create(creation)
  expect(await socket.ask('auth.verifyPasskey', { credential })).toMatchObject(NO_CHALLENGE)
  expect(await database.db.passkey.findMany({ where: { userId: keyed.user.id } })).toEqual(before)
})

test('of two sign-ins that replace lost passkeys the second is cancelled', async ({ keyed: node }) => {
  const keyed = await registerKeyed(node)
  const asked = []
  for (const recoveryCode of keyed.recoveryCodes.slice(0, 2)) {
    const { socket } = await askedForPasskey(node, keyed)
    asked.push({
      socket,
      creation: creationOf(await socket.get(PasskeyAsked, 'auth.recoverPasskey', { recoveryCode })),
    })
  }
  const [first, second] = asked.map(({ socket, creation }) => () => {
    const credential = new SoftwareAuthenticator(PUBLIC_URL).create(creation)
    return socket.ask('auth.verifyPasskey', { credential })
  })
  const { token } = Authorized.parse((await first?.())?.data)
  expect(await second?.()).toMatchObject(NO_CHALLENGE)
  expect(await node.auth.sessions.redeem(token, FROM)).toMatchObject({ user: { id: keyed.user.id } })
})

test('a session that has ended changes neither passkeys nor the authenticator, also before its socket closes', async ({
  keyed: node,
  database,
}) => {
  const { user, signedIn } = await enterKeyed(node)
  const adding = node.socketOf(signedIn)
  const creation = creationOf(PasskeyAsked.parse((await adding.ask('auth.addPasskey')).data))
  const rotating = node.socketOf(signedIn)
  const { secret } = await rotating.get(Candidate, 'auth.rotateTotp')
  await endUnheard(database.db, user.id, node.clock.ms)
  const credential = new SoftwareAuthenticator(PUBLIC_URL).create(creation)
  expect(await adding.ask('auth.addPasskey', { credential, name: 'Late' })).toMatchObject(NO_CHALLENGE)
  expect(await rotating.ask('auth.rotateTotp', { code: node.clock.code(secret) })).toMatchObject(NO_CHALLENGE)
  expect(await database.db.passkey.count({ where: { userId: user.id } })).toBe(1)
})

test('after a reset one recovery code and a new passkey let the user in', async ({ keyed: node, database }) => {
  const keyed = await registerKeyed(node)
  await reset(database, keyed.user.id, node.clock.ms)
  const socket = node.socket()
  const [recoveryCode] = keyed.recoveryCodes
  const asked = await socket.get(PasskeyAsked, 'auth.recover', { username: keyed.user.username, recoveryCode })
  const credential = new SoftwareAuthenticator(PUBLIC_URL).create(creationOf(asked))
  const { token } = await socket.get(Authorized, 'auth.verifyPasskey', { credential })
  const { user } = await node.auth.sessions.redeem(token, FROM)
  expect(user.id).toBe(keyed.user.id)
})
