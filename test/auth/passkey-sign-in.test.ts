import { generateKeyPairSync } from 'node:crypto'
import { describe, expect } from 'vitest'
import { Authorized, type CreatedPasskey, PasskeyAsked } from '../../src/modules/auth/types.ts'
import { Call } from '../../src/rpc/index.ts'
import { type AnswerOptions, attestationObject, SoftwareAuthenticator } from '../support/software-authenticator.ts'
import { begun, freshName, recorded, register, startNode, type TestNode } from './harness.ts'
import {
  askedForPasskey,
  candidate,
  creationOf,
  enterKeyed,
  type Keyed,
  PUBLIC_URL,
  registerKeyed,
  signInKeyed,
  test,
} from './passkey-harness.ts'

const FROM = { ip: '192.0.2.1', userAgent: 'test' }
const INVALID = { error: 'INVALID_PASSKEY' }
const NO_CHALLENGE = { error: 'NO_CHALLENGE' }

describe('registering', () => {
  test('makes an account with its first passkey, and none before', async ({ database, keyed: node }) => {
    const { socket, creation, username } = await candidate(node)
    expect(creation).toMatchObject({
      rp: { id: 'rally.example.com' },
      user: { name: username },
      attestation: 'none',
      authenticatorSelection: { userVerification: 'required' },
      excludeCredentials: [],
    })
    expect(await database.db.user.count({ where: { username } })).toBe(0)
    const key = new SoftwareAuthenticator(PUBLIC_URL)
    const credential = key.create(creation)
    const authorized = await socket.get(Authorized, 'auth.verifyPasskey', { credential, name: ' My key ' })
    expect(authorized.recoveryCodes).toHaveLength(10)
    expect(Buffer.from(creation.user.id, 'base64url').toString()).toBe(authorized.user.id)
    const [passkey] = await database.db.passkey.findMany({ where: { user: { username } } })
    expect(passkey).toMatchObject({ name: 'My key', transports: 'internal', backupEligible: false, signCount: 1n })
    const { user, sessionId } = await node.auth.sessions.redeem(authorized.token, FROM)
    expect(user).toMatchObject({ username })
    expect(await database.db.session.findUnique({ where: { id: sessionId } })).toMatchObject({ passkeyId: passkey?.id })
  })

  test('of two clients with one name, the first passkey gets it', async ({ database, keyed: node }) => {
    const username = freshName()
    const clients = [await candidate(node, username), await candidate(node, username)]
    const answers = await Promise.all(
      clients.map(({ socket, creation }) =>
        socket.ask('auth.verifyPasskey', { credential: new SoftwareAuthenticator(PUBLIC_URL).create(creation) }),
      ),
    )
    expect(answers.map(({ error }) => error).sort()).toEqual(['USERNAME_TAKEN', undefined])
    expect(await database.db.passkey.count({ where: { user: { username } } })).toBe(1)
  })

  test('with the credential of another account makes no account', async ({ database, keyed: node }) => {
    const { key } = await registerKeyed(node)
    const { socket, creation, username } = await candidate(node)
    const credential = new SoftwareAuthenticator(PUBLIC_URL).create(creation, {
      credentialId: key.credentials[0]?.id ?? '',
    })
    expect(await socket.ask('auth.verifyPasskey', { credential })).toMatchObject(INVALID)
    expect(await database.db.user.count({ where: { username } })).toBe(0)
  })

  test.for<[string, (created: CreatedPasskey) => unknown, AnswerOptions]>([
    ['another challenge', (created) => created, { challenge: 'AAAA' }],
    ['another origin', (created) => created, { origin: 'https://rally.example.net' }],
    ['another relying party', (created) => created, { rpId: 'example.com' }],
    ['an answer to another question', (created) => created, { type: 'webauthn.get' }],
    ['an unverified user', (created) => created, { userVerified: false }],
    ['an absent user', (created) => created, { userPresent: false }],
    ['another id than the signed one', (created) => ({ ...created, id: 'AAAAAAAAAAAAAAAAAAAAAA' }), {}],
    ['garbage', (created) => ({ ...created, response: { ...created.response, attestationObject: 'AAAA' } }), {}],
    [
      'client data that is no JSON',
      (created) => ({ ...created, response: { ...created.response, clientDataJSON: 'AAAA' } }),
      {},
    ],
    [
      'CBOR that is nested too deep',
      (created) => ({ ...created, response: { ...created.response, attestationObject: 'gYGB'.repeat(1_500) } }),
      {},
    ],
    ['an attestation of a make', withStatement, {}],
  ])('with %s makes no account', async ([, change, options], { database, keyed: node }) => {
    const { socket, creation, username } = await candidate(node)
    const credential = change(new SoftwareAuthenticator(PUBLIC_URL).create(creation, options))
    expect(await socket.ask('auth.verifyPasskey', { credential })).toMatchObject(INVALID)
    expect(await socket.ask('auth.verifyPasskey', { credential })).toMatchObject(NO_CHALLENGE)
    expect(await database.db.user.count({ where: { username } })).toBe(0)
  })
})

describe('signing in', () => {
  test('takes the code and then the passkey', async ({ database, clock, keyed: node }) => {
    const keyed = await registerKeyed(node)
    const { socket, request } = await askedForPasskey(node, keyed)
    const id = keyed.key.credentials[0]?.id
    expect(request).toMatchObject({
      rpId: 'rally.example.com',
      userVerification: 'required',
      allowCredentials: [{ id, type: 'public-key', transports: ['internal'] }],
    })
    const credential = keyed.key.sign(request)
    const authorized = await socket.get(Authorized, 'auth.verifyPasskey', { credential })
    expect(authorized.user).toEqual(keyed.user)
    expect(authorized.recoveryCodes).toBeUndefined()
    await node.auth.sessions.redeem(authorized.token, FROM)
    const passkey = await database.db.passkey.findFirst({ where: { userId: keyed.user.id } })
    expect(passkey).toMatchObject({ lastUsedAt: new Date(clock.ms), signCount: 2n })
  })

  test.for<[string, AnswerOptions]>([
    ['another challenge', { challenge: 'AAAA' }],
    ['another origin', { origin: 'https://rally.example.net' }],
    ['another relying party', { rpId: 'example.com' }],
    ['an answer to another question', { type: 'webauthn.create' }],
    ['an unverified user', { userVerified: false }],
    ['an absent user', { userPresent: false }],
    ['the signature of another key', { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }],
    ['the handle of another user', { userHandle: 'AAAA' }],
    ['a passkey that may suddenly be copied', { backupEligible: true }],
    ['a counter that does not grow', { signCount: 1 }],
    ['a counter that is 0 again', { signCount: 0 }],
  ])('with %s is refused', async ([, options], { keyed: node }) => {
    const keyed = await registerKeyed(node)
    expect(await signInKeyed(node, keyed, options)).toMatchObject(INVALID)
    expect(await signInKeyed(node, keyed, { signCount: 9 })).not.toHaveProperty('error')
  })

  test('with a passkey of somebody else is refused', async ({ keyed: node }) => {
    const [ann, ben] = [await registerKeyed(node), await registerKeyed(node)]
    const { socket, request } = await askedForPasskey(node, ann)
    expect(await socket.ask('auth.verifyPasskey', { credential: ben.key.sign(request) })).toMatchObject(INVALID)
  })

  test('with a new passkey in place of a known one is refused', async ({ database, keyed: node }) => {
    const keyed = await registerKeyed(node)
    const { socket, request } = await askedForPasskey(node, keyed)
    const { creation } = await candidate(node)
    const key = new SoftwareAuthenticator(PUBLIC_URL)
    const credential = key.create({ ...creation, challenge: request.challenge })
    expect(await socket.ask('auth.verifyPasskey', { credential })).toMatchObject(INVALID)
    expect(await database.db.passkey.count({ where: { userId: keyed.user.id } })).toBe(1)
  })

  test('takes a passkey that does not count', async ({ keyed: node }) => {
    const { socket, secret, creation } = await candidate(node)
    const key = new SoftwareAuthenticator(PUBLIC_URL)
    const created = key.create(creation, { signCount: 0, backupEligible: true })
    const { user, token } = await socket.get(Authorized, 'auth.verifyPasskey', { credential: created })
    const keyed: Keyed = { user, token, secret, recoveryCodes: [], key }
    for (let times = 0; times < 2; times++) {
      expect(await signInKeyed(node, keyed, { signCount: 0 })).not.toHaveProperty('error')
    }
  })

  test('of two answers with one counter, one counts', async ({ keyed: node }) => {
    const keyed = await registerKeyed(node)
    const first = await askedForPasskey(node, keyed)
    const second = await askedForPasskey(node, keyed)
    const answers = await Promise.all(
      [first, second].map(({ socket, request }) =>
        socket.ask('auth.verifyPasskey', { credential: keyed.key.sign(request, { signCount: 7 }) }),
      ),
    )
    expect(answers.map(({ error }) => error).sort()).toEqual(['INVALID_PASSKEY', undefined])
  })

  test('never shows before the code whether there are passkeys', async ({ keyed: node, database }) => {
    const withPasskey = await registerKeyed(node)
    const without = await registerKeyed(node)
    await database.db.passkey.deleteMany({ where: { userId: without.user.id } })
    const answers = []
    for (const { user, secret } of [withPasskey, without]) {
      const { statements, database: watched } = recorded(database)
      const own = await startNode({ database: watched, clock: node.clock, config: node.platform.config })
      const socket = await begun(own, user.username)
      const { data, error } = await socket.ask('auth.verify', { code: node.clock.wrongCode(secret) })
      await own.stop()
      answers.push({ data, error, statements: statements.filter((name) => !name.startsWith('sessions.')) })
    }
    expect(answers[0]).toEqual(answers[1])
    expect(answers[0]).toMatchObject({ error: 'INVALID_CODE' })
    expect(answers[0]?.statements).not.toContain('passkeys.ofUser')
  })
})

describe('a challenge', () => {
  test('can be used once, right or wrong', async ({ keyed: node }) => {
    const keyed = await registerKeyed(node)
    const { socket, request } = await askedForPasskey(node, keyed)
    const credential = keyed.key.sign(request)
    const answers = await Promise.all([
      socket.ask('auth.verifyPasskey', { credential }),
      socket.ask('auth.verifyPasskey', { credential }),
    ])
    expect(answers.map(({ error }) => error).sort()).toEqual(['NO_CHALLENGE', undefined])

    const again = await askedForPasskey(node, keyed)
    const wrong = keyed.key.sign(again.request, { userVerified: false })
    expect(await again.socket.ask('auth.verifyPasskey', { credential: wrong })).toMatchObject(INVALID)
    const right = keyed.key.sign(again.request)
    expect(await again.socket.ask('auth.verifyPasskey', { credential: right })).toMatchObject(NO_CHALLENGE)
  })

  test('belongs to its socket, and lasts five minutes', async ({ clock, keyed: node }) => {
    const keyed = await registerKeyed(node)
    const { socket, request } = await askedForPasskey(node, keyed)
    const credential = keyed.key.sign(request)
    expect(await node.socket().ask('auth.verifyPasskey', { credential })).toMatchObject(NO_CHALLENGE)
    const other = await askedForPasskey(node, keyed)
    expect(await other.socket.ask('auth.verifyPasskey', { credential })).toMatchObject(INVALID)
    clock.advance(5 * 60_000 - 30_000)
    expect(await socket.ask('auth.verifyPasskey', { credential })).toMatchObject(NO_CHALLENGE)
  })

  test('comes only after the code', async ({ keyed: node }) => {
    const keyed = await registerKeyed(node)
    const { request } = await askedForPasskey(node, keyed)
    const credential = keyed.key.sign(request)
    const socket = await begun(node, keyed.user.username)
    expect(await socket.ask('auth.verifyPasskey', { credential })).toMatchObject(NO_CHALLENGE)
    expect(await socket.ask('auth.recoverPasskey', { recoveryCode: keyed.recoveryCodes[0] })).toMatchObject(
      NO_CHALLENGE,
    )
  })
})

describe('limits', () => {
  test('wrong and missing passkeys count as wrong codes do', async ({ database, clock, keyed: node }) => {
    await database.db.attempt.deleteMany()
    const keyed = await registerKeyed(node)
    for (let times = 0; times < 3; times++) {
      expect(await signInKeyed(node, keyed, { userVerified: false })).toMatchObject(INVALID)
    }
    // A passkey step that is left counts too.
    for (let times = 0; times < 2; times++) await askedForPasskey(node, keyed)
    clock.advance(30_000)
    const socket = await begun(node, keyed.user.username)
    const code = { code: clock.code(keyed.secret) }
    expect(await socket.ask('auth.verify', code)).toMatchObject({ error: 'RATE_LIMITED' })
  })

  test('a right passkey takes its attempt back', async ({ database, keyed: node }) => {
    await database.db.attempt.deleteMany()
    const keyed = await registerKeyed(node)
    for (let times = 0; times < 8; times++) expect(await signInKeyed(node, keyed)).not.toHaveProperty('error')
    const left = await database.db.attempt.findMany({ where: { key: { contains: keyed.user.username } } })
    expect(left.filter(({ failures }) => failures > 0)).toEqual([])
  })
})

describe('an account from before', () => {
  test('makes its first passkey after the next code, and its session goes on', async ({ node, keyed, database }) => {
    const { user, secret, token } = await register(node)
    const session = await node.auth.sessions.redeem(token, FROM)
    expect(await keyed.auth.sessions.resume(session.sessionId, user.id)).toMatchObject({ user: { id: user.id } })

    const { clock } = keyed
    clock.advance(30_000)
    const socket = await begun(keyed, user.username)
    const creation = creationOf(await socket.get(PasskeyAsked, 'auth.verify', { code: clock.code(secret) }))
    const key = new SoftwareAuthenticator(PUBLIC_URL)
    const authorized = await socket.get(Authorized, 'auth.verifyPasskey', { credential: key.create(creation) })
    expect(authorized.recoveryCodes).toBeUndefined()
    expect(await database.db.passkey.count({ where: { userId: user.id } })).toBe(1)
    expect(await signInKeyed(keyed, { user, secret, token, recoveryCodes: [], key })).not.toHaveProperty('error')
  })

  test('gets its first passkey from one of two sign-ins', async ({ node, keyed, database }) => {
    const { user, secret } = await register(node)
    const { clock } = keyed
    const asked = []
    for (let times = 0; times < 2; times++) {
      clock.advance(30_000)
      const socket = await begun(keyed, user.username)
      const creation = creationOf(await socket.get(PasskeyAsked, 'auth.verify', { code: clock.code(secret) }))
      asked.push({ socket, creation })
    }
    const answers = await Promise.all(
      asked.map(({ socket, creation }) =>
        socket.ask('auth.verifyPasskey', { credential: new SoftwareAuthenticator(PUBLIC_URL).create(creation) }),
      ),
    )
    expect(answers.map(({ error }) => error).sort()).toEqual(['NO_CHALLENGE', undefined])
    expect(await database.db.passkey.count({ where: { userId: user.id } })).toBe(1)
  })

  test('gets no session for a ticket that names no passkey', async ({ node, keyed }) => {
    const { token } = await register(node)
    await expect(keyed.auth.sessions.redeem(token, FROM)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  })
})

describe('a recovery code', () => {
  const recover = async (node: TestNode, { user }: Pick<Keyed, 'user'>, recoveryCode: string | undefined) => {
    const socket = node.socket()
    return { socket, answer: await socket.ask('auth.recover', { username: user.username, recoveryCode }) }
  }

  test('stands for the authenticator, and a passkey has to follow', async ({ keyed: node }) => {
    const keyed = await registerKeyed(node)
    const { socket, answer } = await recover(node, keyed, keyed.recoveryCodes[0])
    const asked = PasskeyAsked.parse(answer.data)
    if (asked.status !== 'passkey') throw new Error(asked.status)
    const credential = keyed.key.sign(asked.request)
    expect((await socket.get(Authorized, 'auth.verifyPasskey', { credential })).user).toEqual(keyed.user)
  })

  test('stands for the passkey: the new one replaces all, and all sessions end', async ({ keyed: node, database }) => {
    const keyed = await enterKeyed(node)
    const { socket } = await askedForPasskey(node, keyed)
    const ask = (recoveryCode: string | undefined) => socket.ask('auth.recoverPasskey', { recoveryCode })
    expect(await ask('0000-0000-0000-0000')).toMatchObject({ error: 'INVALID_CODE' })
    const creation = creationOf(PasskeyAsked.parse((await ask(keyed.recoveryCodes[0])).data))
    expect(await ask(keyed.recoveryCodes[1])).toMatchObject(NO_CHALLENGE)
    // Nothing has changed before the new passkey is there.
    expect(await database.db.passkey.count({ where: { userId: keyed.user.id } })).toBe(1)
    const { sessionId } = keyed.signedIn
    expect(await node.auth.sessions.find(sessionId, keyed.user.id)).not.toBeNull()

    const key = new SoftwareAuthenticator(PUBLIC_URL)
    await socket.get(Authorized, 'auth.verifyPasskey', { credential: key.create(creation), name: 'New' })
    const stored = await database.db.passkey.findMany({ where: { userId: keyed.user.id } })
    expect(stored.map(({ name }) => name)).toEqual(['New'])
    expect(await node.auth.sessions.find(sessionId, keyed.user.id)).toBeNull()
    expect(await signInKeyed(node, keyed)).toMatchObject(INVALID)
    expect(await signInKeyed(node, { ...keyed, key })).not.toHaveProperty('error')
  })

  test('stands for one of both: two are needed where both are lost', async ({ keyed: node }) => {
    const keyed = await registerKeyed(node)
    const [first, second] = keyed.recoveryCodes
    const { socket } = await recover(node, keyed, first)
    expect(await socket.ask('auth.recoverPasskey', { recoveryCode: first })).toMatchObject({ error: 'INVALID_CODE' })
    const answer = await socket.ask('auth.recoverPasskey', { recoveryCode: second })
    const creation = creationOf(PasskeyAsked.parse(answer.data))
    const key = new SoftwareAuthenticator(PUBLIC_URL)
    const authorized = await socket.get(Authorized, 'auth.verifyPasskey', { credential: key.create(creation) })
    expect(authorized.user).toEqual(keyed.user)
  })

  test('of a user without passkeys asks for the first one', async ({ node, keyed }) => {
    const registered = await register(node)
    const { socket, answer } = await recover(keyed, registered, registered.recoveryCodes[0])
    const creation = creationOf(PasskeyAsked.parse(answer.data))
    expect(await socket.ask('auth.recoverPasskey', { recoveryCode: registered.recoveryCodes[1] })).toMatchObject(
      NO_CHALLENGE,
    )
    const credential = new SoftwareAuthenticator(PUBLIC_URL).create(creation)
    expect(await socket.ask('auth.verifyPasskey', { credential })).not.toHaveProperty('error')
  })
})

test('needs a socket, and one that nobody is signed in on', async ({ keyed: node }) => {
  const keyed = await enterKeyed(node)
  const { request } = await askedForPasskey(node, keyed)
  const credential = keyed.key.sign(request)
  const socket = node.socketOf(keyed.signedIn)
  const [recoveryCode] = keyed.recoveryCodes
  expect(await socket.ask('auth.verifyPasskey', { credential })).toMatchObject({ error: 'FORBIDDEN' })
  expect(await socket.ask('auth.recoverPasskey', { recoveryCode })).toMatchObject({ error: 'FORBIDDEN' })
  const caller = { user: null, sessionId: null, token: null, ...FROM, device: null }
  const call = new Call(caller, null, 'auth.verifyPasskey', 'http')
  const { signIn } = node.auth
  const forbidden = { code: 'FORBIDDEN' }
  await expect(signIn.verifyPasskey(call, credential)).rejects.toMatchObject(forbidden)
  await expect(signIn.recoverPasskey(call, recoveryCode ?? '')).rejects.toMatchObject(forbidden)
  await expect(signIn.recover(call, keyed.user.username, recoveryCode ?? '')).rejects.toMatchObject(forbidden)
})

test('without the setting there is nothing to answer', async ({ node, keyed }) => {
  const { user, secret, key } = await registerKeyed(keyed)
  const { request } = await askedForPasskey(keyed, { user, secret })
  const { clock } = node
  clock.advance(30_000)
  const socket = await begun(node, user.username)
  await socket.get(Authorized, 'auth.verify', { code: clock.code(secret) })
  expect(await socket.ask('auth.verifyPasskey', { credential: key.sign(request) })).toMatchObject(NO_CHALLENGE)
  expect(await socket.ask('auth.recoverPasskey', { recoveryCode: 'x' })).toMatchObject(NO_CHALLENGE)
})

/** With a statement as a security key gives it: `packed` with a certificate. */
function withStatement(created: CreatedPasskey): CreatedPasskey {
  const bytes = Buffer.from(created.response.attestationObject, 'base64url')
  const authData = bytes.subarray(bytes.indexOf('authData') + 'authData'.length + 3)
  // { alg: -7, sig: h'00', x5c: [h'00'] }
  const statement = Buffer.from('a363616c672663736967410063783563814100', 'hex')
  return {
    ...created,
    response: { ...created.response, attestationObject: attestationObject('packed', statement, authData) },
  }
}
