import type { Call } from '../../../rpc/index.ts'
import type { Scope } from '../../scope.ts'
import { accounts } from '../accounts.ts'
import { type AuthParts, invalidCode, noChallenge, requireFreshSession, signedIn, socketOf } from '../auth-parts.ts'
import { newRecoveryCodes } from '../recovery-codes.ts'
import type { Candidate, Rotated } from '../types.ts'
import { matchStep, newAuthenticator } from './codes.ts'

/** Replaces a user's authenticator, in two steps on one socket. */
export class Rotation {
  readonly #parts: AuthParts

  constructor(parts: AuthParts) {
    this.#parts = parts
  }

  /** Makes a new secret. @throws RpcError FORBIDDEN in a session that is not fresh, or without a socket */
  async prepare(call: Call): Promise<Candidate> {
    socketOf(call)
    await requireFreshSession(this.#parts, call)
    return newAuthenticator(signedIn(call).user.username)
  }

  /** First step: the socket holds the new secret for five minutes. */
  begin(call: Call, candidate: Candidate): Candidate {
    const { user } = signedIn(call)
    const connection = socketOf(call)
    const totp = this.#parts.box.seal(candidate.secret, user.id)
    this.#parts.challenges.hold(connection, { kind: 'rotation', userId: user.id, totp })
    return candidate
  }

  /**
   * Second step. The session has to be open still. Wrong codes are not counted, because the user was shown the secret.
   *
   * @throws RpcError NO_CHALLENGE, INVALID_CODE; FORBIDDEN without a socket
   */
  async commit(scope: Scope, call: Call, code: string): Promise<Rotated> {
    const { user, sessionId } = signedIn(call)
    const connection = socketOf(call)
    const { box, challenges, sessions, now } = this.#parts
    const challenge = challenges.find(connection)
    if (challenge?.kind !== 'rotation' || challenge.userId !== user.id) throw noChallenge()
    const step = matchStep(box.open(challenge.totp, user.id), code, now())
    if (step === null) throw invalidCode()
    const recoveryCodes = newRecoveryCodes()
    if (!(await accounts.lockSignedIn(scope.sql, user.id, sessionId))) throw noChallenge()
    const isReplaced = await accounts.replaceTotp(scope.sql, user.id, challenge.totp, step, recoveryCodes)
    if (!isReplaced) throw noChallenge()
    await sessions.finishAll(scope, user.id, { reason: 'revoked' }, { exceptId: sessionId })
    scope.afterCommit(() => challenges.settle(connection, challenge))
    return { status: 'rotated', recoveryCodes }
  }
}
