import { type Call, RpcError } from '../../../rpc/index.ts'
import type { Scope } from '../../scope.ts'
import { accounts } from '../accounts.ts'
import { newRecoveryCodes } from '../recovery-codes.ts'
import { type AuthParts, invalidCode, noChallenge, socketOf } from '../sign-in.ts'
import type { Candidate, Rotated } from '../types.ts'
import { matchStep, newAuthenticator } from './codes.ts'

/** Only a session younger than this may replace the authenticator. */
const FRESH_MS = 10 * 60_000

/** Replaces a user's authenticator, in two steps on one socket. */
export class Rotation {
  readonly #parts: AuthParts

  constructor(parts: AuthParts) {
    this.#parts = parts
  }

  /**
   * Makes a new secret. A session alone proves too little, because a browser may have been left open. A session younger
   * than ten minutes began with a code of the old authenticator or a recovery code, and both are limited at sign-in.
   *
   * @throws RpcError FORBIDDEN in an older session, or without a socket
   */
  async prepare(call: Call): Promise<Candidate> {
    const { user, sessionId } = signedInSocket(call)
    const { sessions, now } = this.#parts
    const session = await sessions.find(sessionId, user.id)
    if (!session || session.createdAt.getTime() <= now() - FRESH_MS) {
      throw new RpcError('FORBIDDEN', 'Sign out and in again first: this session is older than ten minutes')
    }
    return newAuthenticator(user.username)
  }

  /** First step: the socket holds the new secret for five minutes. */
  begin(call: Call, candidate: Candidate): Candidate {
    const { connection, user } = signedInSocket(call)
    const totp = this.#parts.box.seal(candidate.secret, user.id)
    this.#parts.challenges.hold(connection, { kind: 'rotation', userId: user.id, totp })
    return candidate
  }

  /**
   * Second step. Wrong codes are not counted, because the user was shown the secret.
   *
   * @throws RpcError NO_CHALLENGE, INVALID_CODE; FORBIDDEN without a socket
   */
  async commit(scope: Scope, call: Call, code: string): Promise<Rotated> {
    const { connection, user, sessionId } = signedInSocket(call)
    const { box, challenges, sessions, now } = this.#parts
    const challenge = challenges.find(connection)
    if (challenge?.kind !== 'rotation' || challenge.userId !== user.id) throw noChallenge()
    const step = matchStep(box.open(challenge.totp, user.id), code, now())
    if (step === null) throw invalidCode()
    const recoveryCodes = newRecoveryCodes()
    const isReplaced = await accounts.replaceTotp(scope.sql, user.id, challenge.totp, step, recoveryCodes)
    if (!isReplaced) throw noChallenge()
    await sessions.finishOthers(scope, sessionId, user.id)
    scope.afterCommit(() => challenges.settle(connection, challenge))
    return { status: 'rotated', recoveryCodes }
  }
}

function signedInSocket(call: Call) {
  const { user, sessionId } = call.caller
  if (!user || sessionId === null) throw new RpcError('UNAUTHENTICATED', 'Sign in first')
  return { connection: socketOf(call), user, sessionId }
}
