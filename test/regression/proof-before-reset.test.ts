import { expect } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { Authorized, PasskeyAsked } from '../../src/modules/auth/types.ts'
import { begun, register } from '../auth/harness.ts'
import { askedForPasskey, creationOf, enterKeyed, PUBLIC_URL, registerKeyed, test } from '../auth/passkey-harness.ts'
import { SoftwareAuthenticator } from '../support/software-authenticator.ts'

// A request that began before an admin reset an authenticator, and ended after it, gave the account to whoever sent it.

const NO_CHALLENGE = { error: 'NO_CHALLENGE' }

/** As an admin's reset, of which the sockets of the user have not heard yet. */
async function reset({ db }: Database, userId: string, at: number): Promise<void> {
  await db.passkey.deleteMany({ where: { userId } })
  await db.user.update({ where: { id: userId }, data: { authenticatorResetAt: new Date(at) } })
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

test('after a reset one recovery code and a new passkey let the user in', async ({ keyed: node, database }) => {
  const keyed = await registerKeyed(node)
  await reset(database, keyed.user.id, node.clock.ms)
  const socket = node.socket()
  const [recoveryCode] = keyed.recoveryCodes
  const asked = await socket.get(PasskeyAsked, 'auth.recover', { username: keyed.user.username, recoveryCode })
  const credential = new SoftwareAuthenticator(PUBLIC_URL).create(creationOf(asked))
  const { token } = await socket.get(Authorized, 'auth.verifyPasskey', { credential })
  const { user } = await node.auth.sessions.redeem(token, { ip: '192.0.2.1', userAgent: 'test' })
  expect(user.id).toBe(keyed.user.id)
})
