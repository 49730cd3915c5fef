import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SecretBox } from '../../db/secret-encryption.ts'
import { type Call, type Caller, type Connection, RpcError } from '../../rpc/index.ts'
import type { Platform } from '../platform.ts'
import { UserId } from '../wire.ts'
import { accounts, toUser } from './accounts.ts'
import { forbidBanned } from './bans.ts'
import type { Challenge, Challenges } from './challenges.ts'
import { FairQueue } from './limits/fair-queue.ts'
import { type Attempt, type Lockouts, networkOf } from './limits/lockouts.ts'
import { newRecoveryCodes } from './recovery-codes.ts'
import type { Sessions } from './sessions/sessions.ts'
import { matchStep, newAuthenticator } from './totp/codes.ts'
import type { Authorized, Begun, Candidate } from './types.ts'

/** What signing in and replacing the authenticator share. */
export interface AuthParts {
  readonly platform: Platform
  readonly now: () => number
  readonly box: SecretBox
  readonly lockouts: Lockouts
  readonly challenges: Challenges
  readonly sessions: Sessions
}

/** Sign-in uses two of the reserved connections, which leaves two for others. */
const SIGN_IN_QUEUE = { atOnce: 2, maxWaiting: 1024, maxWaitingPerGroup: 128, maxWaitMs: 5_000 }
const DRAWING_QUEUE = { ...SIGN_IN_QUEUE, atOnce: 1 }
/** After each drawing the queue pauses for this many times its duration: drawings take at most a fifth of a core. */
const PAUSE_AFTER_DRAWING = 4

export class SignIn {
  readonly #parts: AuthParts
  readonly #queue = new FairQueue(SIGN_IN_QUEUE)
  readonly #drawings = new FairQueue(DRAWING_QUEUE)

  constructor(parts: AuthParts) {
    this.#parts = parts
  }

  /** Attempts that wait for the database, and candidates that wait for their QR code. */
  get queues() {
    return { 'auth.signIn': this.#queue, 'auth.drawings': this.#drawings }
  }

  /**
   * Binds a challenge to the socket: for the user of this name, or for a candidate, who has no row in the database.
   *
   * @throws RpcError FORBIDDEN without a socket, or on a signed-in one; RATE_LIMITED
   */
  async begin(call: Call, typedName: string): Promise<Begun> {
    const connection = signedOutSocket(call)
    const { platform, lockouts, challenges, box } = this.#parts
    const username = typedName.toLowerCase()
    const attempt = lockouts.fromAddress(call.caller)
    const account = await this.#queued(call.caller, async () => {
      await attempt.take()
      return accounts.byName(platform.database.reserved, username)
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
   * Compares a code with the socket's challenge. A right one signs in or registers, and counts once. A wrong one costs the
   * same work for a user and for a candidate.
   *
   * @throws RpcError NO_CHALLENGE, INVALID_CODE, USERNAME_TAKEN, RATE_LIMITED, BANNED; FORBIDDEN as `begin`
   */
  async verify(call: Call, code: string): Promise<Authorized> {
    const connection = signedOutSocket(call)
    const { platform, lockouts, challenges, box, now } = this.#parts
    const { reserved } = platform.database
    const { caller } = call
    const challenge = challenges.find(connection)
    if (!challenge || challenge.kind === 'rotation') throw noChallenge()
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
        const registered = await this.#register(connection, challenge, step)
        await this.#succeeded(attempt)
        return registered
      }
      if (!account) throw noChallenge()
      await this.#succeeded(attempt)
      forbidBanned(account.ban, now())
      if (!box.isCurrent(totp)) {
        const resealed = accounts.reseal(reserved, userId, totp, box.seal(secret, userId))
        await this.#orWarn(resealed, 'a secret stays encrypted with an old key')
      }
      return this.#authorized(account)
    })
  }

  /**
   * Signs in with a recovery code and uses it up. The authenticator stays as it is.
   *
   * @throws RpcError INVALID_CODE, also for a name without an account; RATE_LIMITED; BANNED; FORBIDDEN on a signed-in socket
   */
  async recover(caller: Caller, username: string, recoveryCode: string): Promise<Authorized> {
    forbidSignedIn(caller)
    const { platform, lockouts, now } = this.#parts
    const { reserved } = platform.database
    const attempt = lockouts.forRecovery(caller, username)
    return this.#queued(caller, async () => {
      await attempt.take()
      // Without an account the same statement runs with an id that nobody has.
      const owner = (await accounts.idByName(reserved, username)) ?? randomUUID()
      const isRight = await accounts.spendRecoveryCode(reserved, owner, recoveryCode, new Date(now()))
      const account = isRight ? await accounts.byId(reserved, owner) : null
      if (!account) throw invalidCode()
      await this.#succeeded(attempt)
      forbidBanned(account.ban, now())
      return this.#authorized(account)
    })
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

  async #register(
    connection: Connection,
    challenge: Extract<Challenge, { kind: 'candidate' }>,
    step: number,
  ): Promise<Authorized> {
    const { platform, now, challenges } = this.#parts
    const { userId, username, displayName, totp } = challenge
    const user = { id: UserId.parse(userId), username, displayName, createdAt: now(), role: 'player' } as const
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
    return { ...this.#authorized(user), recoveryCodes }
  }

  #authorized(user: Authorized['user']): Authorized {
    return { status: 'authorized', user: toUser(user), token: this.#parts.sessions.issueTicket(user.id) }
  }

  #succeeded(attempt: Attempt): Promise<void> {
    return this.#orWarn(attempt.succeeded(), 'a successful attempt stays counted')
  }

  /** The code was right, so a failure of what follows keeps nobody out and costs no recovery code. */
  async #orWarn(work: Promise<void>, message: string): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#parts.platform.log.of('auth').warn({ err: error }, message)
    }
  }
}

export function invalidCode(): RpcError {
  return new RpcError('INVALID_CODE', 'This code is wrong, or was used before')
}

export function noChallenge(): RpcError {
  return new RpcError('NO_CHALLENGE', 'There is nothing to verify on this socket; begin again')
}

export function socketOf({ connection }: Call): Connection {
  if (!connection) throw new RpcError('FORBIDDEN', 'This needs a WebSocket: it takes two steps on the same one')
  return connection
}

function signedOutSocket(call: Call): Connection {
  forbidSignedIn(call.caller)
  return socketOf(call)
}

/** A signed-in user's write runs in a transaction, but attempts are counted outside of it, because counts must stay. */
function forbidSignedIn({ user }: Caller): void {
  if (user) throw new RpcError('FORBIDDEN', 'Sign out first')
}
