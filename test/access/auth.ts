import { randomUUID } from 'node:crypto'
import type { auth as module } from '../../src/modules/auth/index.ts'
import { makeToken } from '../support/programs.ts'
import { type AccessCase, type AccessOf, everybody, type World } from './cases.ts'

/** Of signing in: refused to those who have a user. */
const signIn = (anonymous: string): Omit<AccessCase, 'input'> => ({ owner: 'FORBIDDEN', other: 'FORBIDDEN', anonymous })

const signedPasskey = {
  id: 'a'.repeat(22),
  type: 'public-key',
  response: { clientDataJSON: 'a'.repeat(40), authenticatorData: 'a'.repeat(40), signature: 'a'.repeat(40) },
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
  begin: { ...signIn('ok'), input: () => ({ username: `new_${Date.now().toString(36)}` }) },
  verify: { ...signIn('NO_CHALLENGE'), input: () => ({ code: '123456' }), isAlone: true },
  recover: { ...signIn('INVALID_CODE'), input: () => ({ username: 'nobody_here', recoveryCode: 'wrong' }) },
  verifyPasskey: { ...signIn('NO_CHALLENGE'), input: () => ({ credential: signedPasskey }) },
  recoverPasskey: { ...signIn('NO_CHALLENGE'), input: () => ({ recoveryCode: 'wrong' }) },
  logout: { ...everybody, isAlone: true },
  me: everybody,
  sessions: everybody,
  revoke: { input: anotherSession, other: 'NOT_FOUND' },
  rotateTotp: everybody,
  passkeys: everybody,
  // This server asks for no passkeys.
  addPasskey: { owner: 'FORBIDDEN', other: 'FORBIDDEN' },
  renamePasskey: { input: () => ({ passkeyId: 'none', name: 'key' }), owner: 'FORBIDDEN', other: 'FORBIDDEN' },
  removePasskey: { input: () => ({ passkeyId: 'none' }), owner: 'FORBIDDEN', other: 'FORBIDDEN' },
  createToken: { ...everybody, input: () => ({ name: 'bot', scopes: ['read'] }) },
  tokens: everybody,
  revokeToken: { input: token, other: 'NOT_FOUND' },
  onSession: everybody,
}
