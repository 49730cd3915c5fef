import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Call, type Caller, type Connection, RpcError } from '../../rpc/index.ts'
import { UserId } from '../wire.ts'
import { accounts, type SigningIn } from './accounts.ts'
import {
  type AuthParts,
  authorized,
  countSuccess,
  forbidSignedIn,
  invalidCode,
  noChallenge,
  orWarn,
  signedOutSocket,
  socketOf,
} from './auth-parts.ts'
import { forbidBanned } from './bans.ts'
import type { Challenge } from './challenges.ts'
import { FairQueue } from './limits/fair-queue.ts'
import { networkOf } from './limits/lockouts.ts'
import { PasskeyStep } from './passkeys/passkey-step.ts'
import { newRecoveryCodes } from './recovery-codes.ts'
import { matchStep, newAuthenticator } from './totp/codes.ts'
import type { Authorized, Begun, Candidate, CreatedPasskey, PasskeyAsked, SignedPasskey, Verified } from './types.ts'

/** Sign-in uses two of the reserved connections, which leaves two for others. */
const SIGN_IN_QUEUE = { atOnce: 2, maxWaiting: 1024, maxWaitingPerGroup: 128, maxWaitMs: 5_000 }
const DRAWING_QUEUE = { ...SIGN_IN_QUEUE, atOnce: 1 }
/** After each drawing the queue pauses for this many times its duration: drawings take at most a fifth of a core. */
const PAUSE_AFTER_DRAWING = 4

export class SignIn {
  readonly #parts: AuthParts
  readonly #queue = new FairQueue(SIGN_IN_QUEUE)
  readonly #drawings = new FairQueue(DRAWING_QUEUE)
  /** Null where the code is enough. */
  readonly #passkeyStep: PasskeyStep | null

  constructor(parts: AuthParts) {
    this.#parts = parts
    this.#passkeyStep = parts.webauthn && new PasskeyStep(parts, parts.webauthn)
  }

  /** Attempts that wait for the database, and candidates that wait for their QR code. */
  get queues() {
    return { 'auth.signIn': this.#queue, 'auth.drawings': this.#drawings }
  }

  /**
   * Binds a challenge to the socket: for the user of this name, or for a candidate, who has no row in the database.
   *
   * @throws RpcError FORBIDDEN without a socket, or on a signed-in one; RATE_LIMITED; USERNAME_TAKEN for a reserved name
   */
  async begin(call: Call, typedName: string): Promise<Begun> {
    const connection = signedOutSocket(call)
    const { platform, lockouts, challenges, box, now } = this.#parts
    const username = typedName.toLowerCase()
    const attempt = lockouts.fromAddress(call.caller)
    const account = await this.#queued(call.caller, async () => {
      await attempt.take()
      const found = await accounts.byName(platform.database.reserved, username)
      const isReserved = !found && (await accounts.isReserved(platform.database.reserved, username, new Date(now())))
      if (isReserved) throw new RpcError('USERNAME_TAKEN', 'This was the name of somebody who left a short while ago')
      return found
    })
    if (account) {
      challenges.hold(connection, { kind: 'user', userId: account.id, username })
      return { status: 'user' }
    }
    const userId = randomUUID()
    const candidate = await this.#newAuthenticator(call.caller, username)
    const totp = box.seal(candidate.secret, userId)
    challenges.hold(connection, { kind: 'candidate', userId, username, displayName: typedName, totp })
    return candidate
  }

  /**
   * Compares a code with the socket's challenge. A right one counts once; it signs in or registers, or a passkey has to
   * follow. A wrong one costs the same work for a user and for a candidate, whether they have passkeys or not.
   *
   * @throws RpcError NO_CHALLENGE, INVALID_CODE, USERNAME_TAKEN, RATE_LIMITED, BANNED; FORBIDDEN as `begin`
   */
  async verify(call: Call, code: string): Promise<Verified> {
    const connection = signedOutSocket(call)
    const { platform, lockouts, challenges, box, now } = this.#parts
    const { reserved } = platform.database
    const { caller } = call
    const challenge = challenges.find(connection)
    if (challenge?.kind !== 'user' && challenge?.kind !== 'candidate') throw noChallenge()
    const { userId } = challenge
    const attempt = challenge.kind === 'user' ? lockouts.forCode(caller, challenge) : lockouts.fromAddress(caller)
    return this.#queued(caller, async () => {
      await attempt.take()
      const retryAfterMs = challenge.kind === 'candidate' ? challenges.countTry(connection, challenge) : 0
      if (retryAfterMs > 0) throw new RpcError('RATE_LIMITED', 'Too many wrong codes; begin again', { retryAfterMs })

      const account = await accounts.byId(reserved, userId)
      const totp = challenge.kind === 'candidate' ? challenge.totp : account?.totp
      if (!totp) throw noChallenge()
      const secret = box.open(totp, userId)
      const step = matchStep(secret, code, now())
      const isSpent = !(await accounts.spendStep(reserved, userId, step))
      if (step === null || (challenge.kind === 'user' && isSpent)) throw invalidCode()
      if (!challenges.settle(connection, challenge)) throw noChallenge()

      if (challenge.kind === 'candidate') {
        const user = this.#newUser(challenge)
        const purpose = { kind: 'register', totp, step } as const
        if (this.#passkeyStep) return this.#passkeyStep.askNew(connection, user, attempt, purpose)
        const registered = await this.#register(connection, challenge, user, step)
        await countSuccess(this.#parts, attempt)
        return registered
      }
      if (!account) throw noChallenge()
      if (!this.#passkeyStep) await countSuccess(this.#parts, attempt)
      forbidBanned(account.ban, now())
      if (!box.isCurrent(totp)) {
        const resealed = accounts.reseal(reserved, userId, totp, box.seal(secret, userId))
        await orWarn(this.#parts, resealed, 'a secret stays encrypted with an old key')
      }
      return this.#passkeyStep?.ask(connection, account, attempt) ?? authorized(this.#parts, account)
    })
  }

  /**
   * Takes a recovery code in place of the authenticator's, and uses it up. The authenticator stays as it is.
   *
   * @throws RpcError INVALID_CODE, also for a name without an account; RATE_LIMITED; BANNED; FORBIDDEN on a signed-in socket,
   * and without a socket where a passkey has to follow
   */
  async recover(call: Call, username: string, recoveryCode: string): Promise<Verified> {
    const { caller } = call
    forbidSignedIn(caller)
    const passkeyStep = this.#passkeyStep
    const askPasskey = passkeyStep && { step: passkeyStep, connection: socketOf(call) }
    const { platform, lockouts, now } = this.#parts
    const { reserved } = platform.database
    const attempt = lockouts.forRecovery(caller, username)
    return this.#queued(caller, async () => {
      await attempt.take()
      // Without an account the same statement runs with an id that nobody has.
      const owner = (await accounts.idByName(reserved, username)) ?? { id: randomUUID(), signInVersion: 0 }
      const isRight = await accounts.spendRecoveryCode(reserved, owner.id, recoveryCode, new Date(now()))
      const account = isRight ? await accounts.byId(reserved, owner.id) : null
      // The code may have been deleted just after it was used.
      if (account?.signInVersion !== owner.signInVersion) throw invalidCode()
      if (!askPasskey) await countSuccess(this.#parts, attempt)
      forbidBanned(account.ban, now())
      return askPasskey?.step.ask(askPasskey.connection, account, attempt) ?? authorized(this.#parts, account)
    })
  }

  /** Takes the passkey that `verify` or `recover` asked for. @throws RpcError as PasskeyStep, and as `begin` */
  async verifyPasskey(call: Call, answer: CreatedPasskey | SignedPasskey, name?: string): Promise<Authorized> {
    const connection = signedOutSocket(call)
    const step = this.#passkeyStep
    if (!step) throw noChallenge()
    return this.#queued(call.caller, () => step.verify(connection, answer, name))
  }

  /** Takes a recovery code in place of that passkey. @throws RpcError as PasskeyStep, and as `begin` */
  async recoverPasskey(call: Call, recoveryCode: string): Promise<PasskeyAsked> {
    const connection = signedOutSocket(call)
    const step = this.#passkeyStep
    if (!step) throw noChallenge()
    return this.#queued(call.caller, () => step.recover(connection, call.caller, recoveryCode))
  }

  #queued<T>({ ip }: Caller, work: () => Promise<T>): Promise<T> {
    return this.#queue.run(networkOf(ip), work)
  }

  /** In a queue of its own, so that nobody who has an account waits for drawings. */
  #newAuthenticator({ ip }: Caller, username: string): Promise<Candidate> {
    return new Promise((resolve, reject) => {
      const draw = async () => {
        const beganAt = performance.now()
        resolve(newAuthenticator(username))
        await sleep((performance.now() - beganAt) * PAUSE_AFTER_DRAWING)
      }
      this.#drawings.run(networkOf(ip), draw).catch(reject)
    })
  }

  #newUser({ userId, username, displayName }: Extract<Challenge, { kind: 'candidate' }>): SigningIn {
    const id = UserId.parse(userId)
    return {
      id,
      username,
      displayName,
      createdAt: this.#parts.now(),
      role: 'player',
      authenticatorResetAt: null,
      signInVersion: 0,
    }
  }

  async #register(
    connection: Connection,
    challenge: Extract<Challenge, { kind: 'candidate' }>,
    user: SigningIn,
    step: number,
  ): Promise<Authorized> {
    const { platform, challenges } = this.#parts
    const { totp } = challenge
    const recoveryCodes = newRecoveryCodes()
    let isFree: boolean
    try {
      isFree = await accounts.insert(platform.database.reserved, { ...user, totp, ban: null }, step, recoveryCodes)
    } catch (error) {
      // The candidate has scanned this secret, so the next code is accepted once the database is back.
      if (!challenges.find(connection)) challenges.hold(connection, challenge)
      throw error
    }
    if (!isFree) throw new RpcError('USERNAME_TAKEN', 'Somebody else registered this name first')
    return { ...authorized(this.#parts, user), recoveryCodes }
  }
}
