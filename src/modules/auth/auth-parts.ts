import type { SecretBox } from '../../db/secret-encryption.ts'
import { type Call, type Caller, type Connection, RpcError } from '../../rpc/index.ts'
import type { Platform } from '../platform.ts'
import { type SigningIn, toUser } from './accounts.ts'
import type { Challenges } from './challenges.ts'
import type { Attempt, Lockouts } from './limits/lockouts.ts'
import type { WebAuthn } from './passkeys/webauthn.ts'
import type { Sessions } from './sessions/sessions.ts'
import type { Authorized } from './types.ts'

/** What signing in and changing an account's authenticator or passkeys share. */
export interface AuthParts {
  readonly platform: Platform
  readonly now: () => number
  readonly box: SecretBox
  readonly lockouts: Lockouts
  readonly challenges: Challenges
  readonly sessions: Sessions
  /** Null where passkeys are not asked for. */
  readonly webauthn: WebAuthn | null
}

/** Only a session younger than this may change how its user signs in. */
const FRESH_MS = 10 * 60_000

/** The answer to a user who has proved to be that user; `passkeyId` is the passkey that took part. */
export function authorized({ sessions }: AuthParts, user: SigningIn, passkeyId?: string): Authorized {
  return { status: 'authorized', user: toUser(user), token: sessions.issueTicket(user, passkeyId) }
}

/** Takes the attempt back. The proof was right, so a failure of this keeps nobody out. */
export function countSuccess(parts: AuthParts, attempt: Attempt): Promise<void> {
  return orWarn(parts, attempt.succeeded(), 'a successful attempt stays counted')
}

/** Waits for work whose failure is only logged. */
export async function orWarn({ platform }: AuthParts, work: Promise<void>, message: string): Promise<void> {
  try {
    await work
  } catch (error) {
    platform.log.of('auth').warn({ err: error }, message)
  }
}

/**
 * A session alone proves too little to change how its user signs in, because a browser may have been left open. A session
 * younger than ten minutes began with a fresh proof, and proofs are limited at sign-in.
 *
 * @throws RpcError FORBIDDEN in an older session
 */
export async function requireFreshSession({ sessions, now }: AuthParts, call: Call): Promise<void> {
  const { user, sessionId } = signedIn(call)
  const session = await sessions.find(sessionId, user.id)
  if (!session || session.createdAt.getTime() <= now() - FRESH_MS) {
    throw new RpcError('FORBIDDEN', 'Sign out and in again first: this session is older than ten minutes')
  }
}

/** @throws RpcError UNAUTHENTICATED */
export function signedIn({ caller: { user, sessionId } }: Call) {
  if (!user || sessionId === null) throw new RpcError('UNAUTHENTICATED', 'Sign in first')
  return { user, sessionId }
}

/** @throws RpcError FORBIDDEN over HTTP */
export function socketOf({ connection }: Call): Connection {
  if (!connection) throw new RpcError('FORBIDDEN', 'This needs a WebSocket: it takes two steps on the same one')
  return connection
}

/** @throws RpcError FORBIDDEN over HTTP, or on a signed-in socket */
export function signedOutSocket(call: Call): Connection {
  forbidSignedIn(call.caller)
  return socketOf(call)
}

/** A signed-in user's write runs in a transaction, but attempts are counted outside of it, because counts must stay. */
export function forbidSignedIn({ user }: Caller): void {
  if (user) throw new RpcError('FORBIDDEN', 'Sign out first')
}

export function invalidCode(): RpcError {
  return new RpcError('INVALID_CODE', 'This code is wrong, or was used before')
}

export function noChallenge(): RpcError {
  return new RpcError('NO_CHALLENGE', 'There is nothing to verify on this socket; begin again')
}
