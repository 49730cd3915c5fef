import { randomUUID } from 'node:crypto'
import type { auth as module } from '../../src/modules/auth/index.ts'
import type { PasskeyAsked, PasskeyCreation } from '../../src/modules/auth/types.ts'
import type { TestClient } from '../support/client.ts'
import { makeToken } from '../support/programs.ts'
import { codeOf, ORIGIN } from '../support/server.ts'
import { SoftwareAuthenticator } from '../support/software-authenticator.ts'
import { type AccessCase, type AccessOf, everybody, type World } from './cases.ts'

/** Of signing in: refused to those who have a user. */
const signIn: Omit<AccessCase, 'input'> = { owner: 'FORBIDDEN', other: 'FORBIDDEN', anonymous: 'ok', isAlone: true }

const signedPasskey = {
  id: 'a'.repeat(22),
  type: 'public-key',
  response: { clientDataJSON: 'a'.repeat(40), authenticatorData: 'a'.repeat(40), signature: 'a'.repeat(40) },
}

const newName = () => ({ username: `new_${randomUUID().slice(0, 8)}` })

/** The code of a new user who signs in on this socket; a wrong one where that is refused. */
async function code(_world: World, caller: TestClient): Promise<{ code: string }> {
  const { error, data } = await caller.request<{ secret: string }>('auth.begin', newName())
  return { code: error === undefined ? codeOf(data.secret) : '123456' }
}

/** The new passkey of such a user. */
async function credential(world: World, caller: TestClient): Promise<{ credential: object }> {
  const { error, data } = await caller.request<PasskeyAsked>('auth.verify', await code(world, caller))
  if (error !== undefined || data.status !== 'newPasskey') return { credential: signedPasskey }
  return { credential: new SoftwareAuthenticator(ORIGIN).create(data.creation) }
}

/** The recovery code of a user. */
async function recovery(world: World): Promise<{ username: string; recoveryCode: string }> {
  const { username, recoveryCodes } = (await world.newcomer()).player
  return { username, recoveryCode: recoveryCodes[0] ?? '' }
}

/** That of a user who is asked for a passkey on this socket. */
async function lostPasskey(world: World, caller: TestClient): Promise<{ recoveryCode: string }> {
  const { username, secret, recoveryCodes } = (await world.newcomer()).player
  await caller.request('auth.begin', { username })
  // Registering has used the present code.
  await caller.request('auth.verify', { code: codeOf(secret, 1) })
  return { recoveryCode: recoveryCodes[0] ?? '' }
}

/** The newest passkey of the owner, who has at least two. */
async function passkey({ owner: { client } }: World): Promise<{ passkeyId: string }> {
  const { creation } = await client.call<{ creation: PasskeyCreation }>('auth.addPasskey')
  const key = new SoftwareAuthenticator(ORIGIN).create(creation)
  const added = await client.call<{ passkey: { id: string } }>('auth.addPasskey', { credential: key, name: 'key' })
  return { passkeyId: added.passkey.id }
}

/** The first passkey of the owner. */
async function firstPasskey({ owner }: World): Promise<{ passkeyId: string }> {
  const { items } = await owner.client.call<{ items: { id: string }[] }>('auth.passkeys')
  return { passkeyId: items[0]?.id ?? '' }
}

/** The session of the owner, of which another session of theirs is ended. */
async function anotherSession({ owner, rally }: World): Promise<{ sessionId: string }> {
  const { player } = owner
  const db = rally.app.platform.database.db
  const session = await db.session.create({
    data: {
      id: randomUUID(),
      userId: player.id,
      ip: '',
      userAgent: '',
      expiresAt: new Date(Date.now() + 60_000),
    },
  })
  return { sessionId: session.id }
}

/** A token of the owner. */
async function token({ owner }: World): Promise<{ tokenId: string }> {
  const { tokenId } = await makeToken(owner.client, ['read'])
  return { tokenId }
}

export const auth: AccessOf<typeof module> = {
  begin: { ...signIn, input: newName },
  verify: { ...signIn, input: code },
  recover: { ...signIn, input: recovery },
  verifyPasskey: { ...signIn, input: credential },
  recoverPasskey: { ...signIn, input: lostPasskey },
  logout: { ...everybody, isAlone: true },
  me: everybody,
  sessions: everybody,
  revoke: { input: anotherSession, other: 'NOT_FOUND' },
  rotateTotp: everybody,
  passkeys: everybody,
  addPasskey: everybody,
  renamePasskey: { input: async (world) => ({ ...(await firstPasskey(world)), name: 'key' }), other: 'NOT_FOUND' },
  removePasskey: { input: passkey, other: 'NOT_FOUND' },
  createToken: { ...everybody, input: () => ({ name: 'bot', scopes: ['read'] }) },
  tokens: everybody,
  revokeToken: { input: token, other: 'NOT_FOUND' },
  onSession: everybody,
}
