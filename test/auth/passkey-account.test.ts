import { describe, expect } from 'vitest'
import { z } from 'zod'
import { PasskeyAdded, PasskeyInfo } from '../../src/modules/auth/types.ts'
import { SoftwareAuthenticator } from '../support/software-authenticator.ts'
import { registerAndEnter, type TestNode, type TestSocket } from './harness.ts'
import { enterKeyed, type Keyed, PUBLIC_URL, registerKeyed, signInKeyed, test } from './passkey-harness.ts'

const FROM = { ip: '192.0.2.1', userAgent: 'test' }
const List = z.object({ required: z.boolean(), items: z.array(PasskeyInfo) })

async function creationFor(socket: TestSocket) {
  const asked = await socket.get(PasskeyAdded, 'auth.addPasskey')
  if (asked.status !== 'newPasskey') throw new Error(asked.status)
  return asked.creation
}

/** Adds a passkey on a socket of its user. */
async function add(socket: TestSocket, name = 'Second', key = new SoftwareAuthenticator(PUBLIC_URL)) {
  const credential = key.create(await creationFor(socket))
  const added = await socket.get(PasskeyAdded, 'auth.addPasskey', { credential, name })
  if (added.status !== 'added') throw new Error(added.status)
  return { key, passkey: added.passkey, credential }
}

/** A session that the passkey of `key` began. */
async function sessionOf(node: TestNode, keyed: Keyed, key: SoftwareAuthenticator) {
  const { data } = await signInKeyed(node, { ...keyed, key })
  return node.auth.sessions.redeem(String(data.token), FROM)
}

async function entered(node: TestNode) {
  const keyed = await enterKeyed(node)
  return { keyed, socket: node.socketOf(keyed.signedIn) }
}

describe('adding a passkey', () => {
  test('lets it sign in, and lists it', async ({ clock, keyed: node }) => {
    const { keyed, socket } = await entered(node)
    const { items } = await socket.get(List, 'auth.passkeys')
    expect(items).toMatchObject([{ name: 'Passkey', synced: false, createdAt: clock.ms, lastUsedAt: null }])
    const creation = await creationFor(socket)
    expect(creation.excludeCredentials.map(({ id }) => id)).toEqual([keyed.key.credentials[0]?.id])

    clock.advance(1)
    const { key, passkey } = await add(socket, 'Phone')
    expect(passkey).toMatchObject({ name: 'Phone', createdAt: clock.ms })
    expect(await signInKeyed(node, { ...keyed, key })).not.toHaveProperty('error')
    expect(await signInKeyed(node, keyed)).not.toHaveProperty('error')
    const list = await socket.get(List, 'auth.passkeys')
    expect(list).toMatchObject({ required: true, items: [{ name: 'Passkey' }, { name: 'Phone' }] })
    for (const { lastUsedAt } of list.items) expect(lastUsedAt).not.toBeNull()
  })

  test('takes a challenge once, and the answer to it alone', async ({ keyed: node }) => {
    const { keyed, socket } = await entered(node)
    const key = new SoftwareAuthenticator(PUBLIC_URL)
    const unasked = key.create(await creationFor(socket))
    const wrong = key.create(await creationFor(socket), { userVerified: false })
    const ask = (credential: object) => socket.ask('auth.addPasskey', { credential, name: 'Another' })
    expect(await ask(wrong)).toMatchObject({ error: 'INVALID_PASSKEY' })
    expect(await ask(unasked)).toMatchObject({ error: 'NO_CHALLENGE' })
    await creationFor(socket)
    expect(await ask(unasked)).toMatchObject({ error: 'INVALID_PASSKEY' })
    const known = keyed.key.credentials[0]?.id ?? ''
    expect(await ask(key.create(await creationFor(socket), { credentialId: known }))).toMatchObject({
      error: 'INVALID_PASSKEY',
    })
    const elsewhere = node.socketOf(keyed.signedIn)
    const credential = key.create(await creationFor(elsewhere))
    expect(await ask(credential)).toMatchObject({ error: 'NO_CHALLENGE' })
  })

  test('answers a retry as the first time', async ({ keyed: node }) => {
    const { socket } = await entered(node)
    const credential = new SoftwareAuthenticator(PUBLIC_URL).create(await creationFor(socket))
    const request = { credential, name: 'Again' }
    const first = await socket.ask('auth.addPasskey', request, 'same')
    expect(first).not.toHaveProperty('error')
    expect((await socket.ask('auth.addPasskey', request, 'same')).data).toEqual(first.data)
    expect((await socket.get(List, 'auth.passkeys')).items).toHaveLength(2)
  })

  test('ends at ten', async ({ database, keyed: node }) => {
    const { keyed, socket } = await entered(node)
    const key = new SoftwareAuthenticator(PUBLIC_URL)
    const late = key.create(await creationFor(socket))
    const row = await database.db.passkey.findFirstOrThrow({ where: { userId: keyed.user.id } })
    for (let count = 1; count < 10; count++) {
      await database.db.passkey.create({
        data: { ...row, id: `${row.id}${count}`, credentialId: Buffer.from(`${row.id}${count}`) },
      })
    }
    const tooMany = { error: 'TOO_MANY_PASSKEYS' }
    expect(await socket.ask('auth.addPasskey', { credential: late, name: 'Eleventh' })).toMatchObject(tooMany)
    expect(await socket.ask('auth.addPasskey')).toMatchObject(tooMany)
  })

  test('needs a fresh session and a name', async ({ clock, keyed: node }) => {
    const { socket } = await entered(node)
    const credential = new SoftwareAuthenticator(PUBLIC_URL).create(await creationFor(socket))
    for (const name of ['', ' ', 'x'.repeat(41), 'a\u0000b', '\ud800']) {
      expect(await socket.ask('auth.addPasskey', { credential, name })).toMatchObject({ error: 'VALIDATION_FAILED' })
    }
    clock.advance(10 * 60_000)
    expect(await socket.ask('auth.addPasskey')).toMatchObject({ error: 'FORBIDDEN' })
  })
})

describe('removing a passkey', () => {
  test('ends the sessions that it began, and its tickets', async ({ keyed: node }) => {
    const { keyed, socket } = await entered(node)
    const { key, passkey } = await add(socket)
    const [lost, kept] = [await sessionOf(node, keyed, key), await sessionOf(node, keyed, keyed.key)]
    const { data } = await signInKeyed(node, { ...keyed, key })
    expect(await socket.ask('auth.removePasskey', { passkeyId: passkey.id })).toMatchObject({ data: {} })
    expect(await node.auth.sessions.find(lost.sessionId, keyed.user.id)).toBeNull()
    expect(await node.auth.sessions.find(kept.sessionId, keyed.user.id)).not.toBeNull()
    await expect(node.auth.sessions.redeem(String(data.token), FROM)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
    expect(await signInKeyed(node, { ...keyed, key })).toMatchObject({ error: 'INVALID_PASSKEY' })
  })

  test('that began this session leaves it open', async ({ keyed: node }) => {
    const { keyed, socket } = await entered(node)
    await add(socket)
    const [own] = (await socket.get(List, 'auth.passkeys')).items
    expect(await socket.ask('auth.removePasskey', { passkeyId: own?.id })).not.toHaveProperty('error')
    expect(await node.auth.sessions.find(keyed.signedIn.sessionId, keyed.user.id)).not.toBeNull()
  })

  test('stops at the last one, also at the same time', async ({ keyed: node }) => {
    const { keyed, socket } = await entered(node)
    await add(socket)
    const { items } = await socket.get(List, 'auth.passkeys')
    const elsewhere = node.socketOf(keyed.signedIn)
    const answers = await Promise.all([
      socket.ask('auth.removePasskey', { passkeyId: items[0]?.id }),
      elsewhere.ask('auth.removePasskey', { passkeyId: items[1]?.id }),
    ])
    expect(answers.map(({ error }) => error).sort()).toEqual(['LAST_PASSKEY', undefined])
    expect((await socket.get(List, 'auth.passkeys')).items).toHaveLength(1)
  })

  test('is for its user, in a fresh session', async ({ clock, keyed: node }) => {
    const { socket } = await entered(node)
    const other = await entered(node)
    await add(socket)
    const [passkey] = (await socket.get(List, 'auth.passkeys')).items
    const theirs = { passkeyId: passkey?.id }
    expect(await other.socket.ask('auth.removePasskey', theirs)).toMatchObject({ error: 'NOT_FOUND' })
    expect(await other.socket.ask('auth.renamePasskey', { ...theirs, name: 'Mine' })).toMatchObject({
      error: 'NOT_FOUND',
    })
    const renamed = await socket.get(PasskeyInfo, 'auth.renamePasskey', { ...theirs, name: 'Old key' })
    expect(renamed.name).toBe('Old key')
    clock.advance(10 * 60_000)
    expect(await socket.ask('auth.removePasskey', theirs)).toMatchObject({ error: 'FORBIDDEN' })
  })
})

test('replacing the authenticator leaves the passkeys', async ({ clock, keyed: node }) => {
  const { keyed, socket } = await entered(node)
  const { data } = await socket.ask('auth.rotateTotp')
  const secret = String(data.secret)
  expect(await socket.ask('auth.rotateTotp', { code: clock.code(secret) })).not.toHaveProperty('error')
  expect(await signInKeyed(node, { ...keyed, secret })).not.toHaveProperty('error')
})

test('where passkeys are not asked for there are none', async ({ node, keyed }) => {
  const { user } = await registerKeyed(keyed)
  const { signedIn } = await registerAndEnter(node)
  const socket = node.socketOf({ ...signedIn, user })
  expect(await socket.get(List, 'auth.passkeys')).toEqual({ required: false, items: [] })
  const forbidden = { error: 'FORBIDDEN' }
  const passkeyId = 'x'
  expect(await socket.ask('auth.addPasskey')).toMatchObject(forbidden)
  expect(await socket.ask('auth.removePasskey', { passkeyId })).toMatchObject(forbidden)
  expect(await socket.ask('auth.renamePasskey', { passkeyId, name: 'x' })).toMatchObject(forbidden)
})
