import { type Call, RpcError } from '../../../rpc/index.ts'
import type { Scope } from '../../scope.ts'
import { accounts } from '../accounts.ts'
import { newRecoveryCodes } from '../recovery-codes.ts'
import type { Sessions } from '../sessions/sessions.ts'
import { type AuthParts, invalidCode, noChallenge, socketOf } from '../sign-in.ts'
import type { Rotated } from '../types.ts'
import { matchStep, newSecret, present } from './codes.ts'

const FRESH_MS = 10 * 60_000

/** Who asks: a signed-in socket's user and session. */
export interface Rotator {
  readonly call: Call
  readonly userId: string
  readonly username: string
  readonly sessionId: string
}

/** Replaces a user's authenticator. */
export class Rotation {
  readonly #parts: AuthParts
  readonly #sessions: Sessions

  constructor(parts: AuthParts, sessions: Sessions) {
    this.#parts = parts
    this.#sessions = sessions
  }

  /**
   * First step: a new secret, held on the socket for five minutes. A session alone is no proof, as it may be a browser
   * left open: it has to be younger than ten minutes. So whoever rotates has just given a code of the old
   * authenticator or a recovery code, each counted by its own locks as at any sign-in.
   *
   * @throws RpcError FORBIDDEN in an older session, or without a socket
   */
  async begin({ call, userId, username, sessionId }: Rotator): Promise<Rotated> {
    const connection = socketOf(call)
    const { box, challenges, now } = this.#parts
    const session = await this.#sessions.find(sessionId, userId)
    if (!session || session.createdAt <= now() - FRESH_MS) {
      throw new RpcError('FORBIDDEN', 'Sign out and in again first: this session is older than ten minutes')
    }
    const secret = newSecret()
    const candidate = present(username, secret)
    challenges.hold(connection, { kind: 'rotation', userId, totp: box.seal(secret, userId) })
    return candidate
  }

  /**
   * Second step: a code of the new secret puts it in force, makes new recovery codes and ends all other sessions. Wrong
   * codes are not counted, as who asks was shown the secret.
   *
   * @throws RpcError NO_CHALLENGE, INVALID_CODE; FORBIDDEN without a socket
   */
  async commit(scope: Scope, rotator: Rotator, code: string): Promise<Rotated> {
    const connection = socketOf(rotator.call)
    const { box, challenges, now } = this.#parts
    const { userId, sessionId } = rotator
    const challenge = challenges.find(connection)
    if (challenge?.kind !== 'rotation' || challenge.userId !== userId) throw noChallenge()
    const step = matchStep(box.open(challenge.totp, userId), code, now())
    if (step === null) throw invalidCode()
    const recoveryCodes = newRecoveryCodes()
    const isReplaced = await accounts.replaceTotp(scope.sql, userId, challenge.totp, step, recoveryCodes)
    if (!isReplaced) throw noChallenge()
    await this.#sessions.finishOthers(scope, sessionId, userId)
    scope.afterCommit(() => challenges.settle(connection, challenge))
    return { status: 'rotated', recoveryCodes }
  }
}
