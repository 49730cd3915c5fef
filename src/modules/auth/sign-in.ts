import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SecretBox } from '../../db/secret-encryption.ts'
import { type Call, type Caller, type Connection, RpcError } from '../../rpc/index.ts'
import type { Platform } from '../platform.ts'
import { UserId } from '../wire.ts'
import { type Account, accounts, toUser } from './accounts.ts'
import type { Challenge, Challenges } from './challenges.ts'
import { networkOf } from './limits/address-budgets.ts'
import { FairQueue } from './limits/fair-queue.ts'
import type { Attempt, Lockouts } from './limits/lockouts.ts'
import { newRecoveryCodes } from './recovery-codes.ts'
import type { Tickets } from './sessions/tickets.ts'
import { matchStep, newSecret, present } from './totp/codes.ts'
import type { AuthCode, Authorized, Begun } from './types.ts'

/** The parts that signing in and changing the authenticator share. */
export interface AuthParts {
  readonly platform: Platform
  readonly now: () => number
  readonly box: SecretBox
  readonly lockouts: Lockouts
  readonly challenges: Challenges
  readonly tickets: Tickets
}

type Candidate = Extract<Challenge, { kind: 'candidate' }>

/** Few enough to leave room on the reserved connections; each network has its turn however much others ask. */
const SIGN_IN_TURNS = { atOnce: 2, maxWaiting: 1024, maxWaitingPerGroup: 128, maxWaitMs: 5_000 }
const DRAWING_TURNS = { ...SIGN_IN_TURNS, atOnce: 1 }
/** Of the time that a drawing took, for everything else: drawings have a fifth of a core at most. */
const REST_AFTER_DRAWING = 4

/** The two steps of signing in and registering, and the way round for who lost the authenticator. */
export class SignIn {
  readonly #parts: AuthParts
  readonly #turns = new FairQueue(SIGN_IN_TURNS)
  readonly #drawing = new FairQueue(DRAWING_TURNS)

  constructor(parts: AuthParts) {
    this.#parts = parts
  }

  /**
   * Binds a challenge to the socket: for the user of this name, or for a candidate, of whom no row is written.
   *
   * @throws RpcError FORBIDDEN without a socket, or on one that is signed in; RATE_LIMITED
   */
  async begin(call: Call, typedName: string): Promise<Begun> {
    const connection = signedOutSocket(call)
    const { platform, lockouts, challenges, box } = this.#parts
    const username = typedName.toLowerCase()
    const attempt = lockouts.fromAddress(call.caller)
    const account = await this.#inTurn(call.caller, async () => {
      await attempt.take()
      return accounts.byName(platform.database.reserved, username)
    })
    if (account) {
      challenges.hold(connection, { kind: 'user', userId: account.id, username })
      return { status: 'user' }
    }
    const userId = randomUUID()
    const secret = newSecret()
    const candidate = await this.#present(call.caller, username, secret)
    const totp = box.seal(secret, userId)
    challenges.hold(connection, { kind: 'candidate', userId, username, displayName: typedName, totp })
    return candidate
  }

  /**
   * Holds a code against the socket's challenge. A right one signs in or registers, and counts once. A wrong one costs
   * the same work whether the challenge is a user's or a candidate's.
   *
   * @throws RpcError NO_CHALLENGE, INVALID_CODE, USERNAME_TAKEN, RATE_LIMITED; FORBIDDEN as `begin`
   */
  async verify(call: Call, code: string): Promise<Authorized> {
    const connection = signedOutSocket(call)
    const { lockouts, challenges } = this.#parts
    const { caller } = call
    const challenge = challenges.find(connection)
    if (!challenge || challenge.kind === 'rotation') throw noChallenge()
    const attempt = challenge.kind === 'user' ? lockouts.forCode(caller, challenge) : lockouts.fromAddress(caller)
    return this.#inTurn(caller, async () => {
      await attempt.take()
      return this.#verify(connection, challenge, attempt, code)
    })
  }

  async #verify(
    connection: Connection,
    challenge: Exclude<Challenge, { kind: 'rotation' }>,
    attempt: Attempt,
    code: string,
  ): Promise<Authorized> {
    const { platform, challenges, box, now } = this.#parts
    const { reserved } = platform.database
    const { userId } = challenge
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
      await this.#settle(attempt)
      return registered
    }
    if (!account) throw noChallenge()
    await this.#settle(attempt)
    await this.#renewKey(account, secret)
    return this.#authorized(account)
  }

  /**
   * Signs in with a recovery code, which it uses up. The authenticator stays as it is; `auth.rotateTotp` can replace it
   * in the session that follows.
   *
   * @throws RpcError INVALID_CODE, also for a name that nobody has; RATE_LIMITED; FORBIDDEN on a signed-in socket
   */
  async recover(caller: Caller, username: string, recoveryCode: string): Promise<Authorized> {
    forbidSignedIn(caller)
    const { platform, lockouts, now } = this.#parts
    const { reserved } = platform.database
    const attempt = lockouts.forRecovery(caller, username)
    return this.#inTurn(caller, async () => {
      await attempt.take()
      const userId = await accounts.idByName(reserved, username)
      // Nobody's id, where there is no account: the same statement then finds nothing.
      const owner = userId ?? randomUUID()
      const isRight = await accounts.spendRecoveryCode(reserved, owner, recoveryCode, new Date(now()))
      const account = isRight ? await accounts.byId(reserved, owner) : null
      if (!account) throw invalidCode()
      await this.#settle(attempt)
      return this.#authorized(account)
    })
  }

  /** What is refused without a query does not come here. */
  #inTurn<T>({ ip }: Caller, work: () => Promise<T>): Promise<T> {
    return this.#turns.run(networkOf(ip), work)
  }

  /** Outside of the turns of sign-in, so that nobody who has an account waits for drawings. */
  #present({ ip }: Caller, username: string, secret: string): Promise<Begun> {
    return new Promise((resolve, reject) => {
      const draw = async () => {
        const beganAt = performance.now()
        resolve(present(username, secret))
        await sleep((performance.now() - beganAt) * REST_AFTER_DRAWING)
      }
      this.#drawing.run(networkOf(ip), draw).catch(reject)
    })
  }

  async #register(connection: Connection, challenge: Candidate, step: number): Promise<Authorized> {
    const { platform, now, challenges } = this.#parts
    const { userId, username, displayName, totp } = challenge
    const createdAt = new Date(now())
    const recoveryCodes = newRecoveryCodes()
    const account = { id: userId, username, displayName, totp, totpLastStep: step, createdAt }
    let isFree: boolean
    try {
      isFree = await accounts.insert(platform.database.reserved, account, recoveryCodes)
    } catch (error) {
      // The candidate has scanned this secret: once the database is back, the next code is good.
      if (!challenges.find(connection)) challenges.hold(connection, challenge)
      throw error
    }
    if (!isFree) throw authError('USERNAME_TAKEN', 'Somebody was faster: this name is taken')
    const user = { id: UserId.parse(userId), username, displayName, createdAt: createdAt.getTime() }
    return { ...this.#authorized(user), recoveryCodes }
  }

  #authorized(user: Authorized['user']): Authorized {
    return { status: 'authorized', user: toUser(user), token: this.#parts.tickets.issue(user.id) }
  }

  /** Nobody is kept out, and no recovery code lost, because an attempt could not be given back. */
  async #settle(attempt: Attempt): Promise<void> {
    try {
      await attempt.succeeded()
    } catch (error) {
      this.#parts.platform.log.of('auth').warn({ err: error }, 'a successful attempt stays counted')
    }
  }

  /** Moves a secret to the newest key. Nobody is kept out because that fails. */
  async #renewKey(account: Account, secret: string): Promise<void> {
    const { platform, box } = this.#parts
    if (box.isCurrent(account.totp)) return
    try {
      await accounts.reseal(platform.database.reserved, account.id, account.totp, box.seal(secret, account.id))
    } catch (error) {
      platform.log.of('auth').warn({ err: error, userId: account.id }, 'a secret stays under an old key')
    }
  }
}

export function authError(code: AuthCode, message: string): RpcError {
  return new RpcError(code, message)
}

export function invalidCode(): RpcError {
  return authError('INVALID_CODE', 'This code is wrong, or was used before')
}

export function noChallenge(): RpcError {
  return authError('NO_CHALLENGE', 'There is nothing to verify on this socket; begin again')
}

/** A challenge needs a socket to live on. */
export function socketOf({ connection }: Call): Connection {
  if (!connection) throw new RpcError('FORBIDDEN', 'This needs a WebSocket: it takes two steps on the same one')
  return connection
}

function signedOutSocket(call: Call): Connection {
  forbidSignedIn(call.caller)
  return socketOf(call)
}

/**
 * A user's write runs in a transaction, which would be held open here while attempts are counted outside it, as those
 * have to stay when it fails.
 */
function forbidSignedIn({ user }: Caller): void {
  if (user) throw new RpcError('FORBIDDEN', 'Sign out first')
}
