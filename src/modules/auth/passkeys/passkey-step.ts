import { type Caller, type Connection, RpcError } from '../../../rpc/index.ts'
import { inTransaction, type Scope } from '../../scope.ts'
import { accounts, type SigningIn } from '../accounts.ts'
import { type AuthParts, authorized, countSuccess, invalidCode, noChallenge } from '../auth-parts.ts'
import { forbidBanned } from '../bans.ts'
import type { Challenge } from '../challenges.ts'
import type { Attempt } from '../limits/lockouts.ts'
import { newRecoveryCodes } from '../recovery-codes.ts'
import type { Authorized, CreatedPasskey, PasskeyAsked, SignedPasskey } from '../types.ts'
import { type NewCredential, passkeys } from './stored-passkeys.ts'
import type { WebAuthn } from './webauthn.ts'

type Signing = Extract<Challenge, { kind: 'passkey' }>
type Creating = Extract<Challenge, { kind: 'newPasskey' }>

/** Of a passkey that its user has not named. */
const DEFAULT_NAME = 'Passkey'

/**
 * The step of a sign-in that follows a right code: a passkey. Both steps are one attempt, which is counted before the code
 * is checked and taken back when the passkey is right. So a wrong or missing passkey counts as a wrong code does.
 */
export class PasskeyStep {
  readonly #parts: AuthParts
  readonly #webauthn: WebAuthn

  constructor(parts: AuthParts, webauthn: WebAuthn) {
    this.#parts = parts
    this.#webauthn = webauthn
  }

  /** Asks a user for one of their passkeys, or for the first one. Their code or recovery code was right. */
  async ask(connection: Connection, user: SigningIn, attempt: Attempt): Promise<PasskeyAsked> {
    const { platform, challenges } = this.#parts
    const own = await passkeys.ofUser(platform.database.reserved, user.id)
    if (own.length === 0) return this.askNew(connection, user, attempt, { kind: 'first' })
    const request = this.#webauthn.request(own)
    challenges.hold(connection, { kind: 'passkey', user, attempt, challenge: request.challenge })
    return { status: 'passkey', request }
  }

  askNew(connection: Connection, user: SigningIn, attempt: Attempt, purpose: Creating['purpose']): PasskeyAsked {
    const creation = this.#webauthn.creation(user, [])
    const { challenge } = creation
    this.#parts.challenges.hold(connection, { kind: 'newPasskey', user, attempt, challenge, purpose })
    return { status: 'newPasskey', creation }
  }

  /**
   * Finishes a sign-in or a registration. The challenge is used up, whether the passkey is right or not.
   *
   * @throws RpcError NO_CHALLENGE, INVALID_PASSKEY, USERNAME_TAKEN, BANNED
   */
  async verify(connection: Connection, answer: CreatedPasskey | SignedPasskey, name?: string): Promise<Authorized> {
    const { challenges } = this.#parts
    const challenge = challenges.find(connection)
    if (challenge?.kind !== 'passkey' && challenge?.kind !== 'newPasskey') throw noChallenge()
    challenges.settle(connection, challenge)
    if (challenge.kind === 'passkey') return this.#sign(challenge, answer)
    return this.#create(connection, challenge, answer, name)
  }

  /**
   * Takes a recovery code in place of a lost passkey. A new passkey has to follow, which replaces all others.
   *
   * @throws RpcError NO_CHALLENGE, INVALID_CODE, RATE_LIMITED, BANNED
   */
  async recover(connection: Connection, caller: Caller, recoveryCode: string): Promise<PasskeyAsked> {
    const { platform, challenges, lockouts, now } = this.#parts
    const challenge = challenges.find(connection)
    if (challenge?.kind !== 'passkey') throw noChallenge()
    const { user, attempt } = challenge
    await lockouts.fromAddress(caller).take()
    await this.#requireCurrent(user)
    const date = new Date(now())
    const isRight = await accounts.spendRecoveryCode(platform.database.reserved, user.id, recoveryCode, date)
    if (!isRight) throw invalidCode()
    if (!challenges.settle(connection, challenge)) throw noChallenge()
    return this.askNew(connection, user, attempt, { kind: 'replace' })
  }

  /** @throws RpcError BANNED; NO_CHALLENGE when sign-ins were cancelled after the code was proved */
  async #requireCurrent({ id, signInVersion }: SigningIn): Promise<void> {
    const { platform, now } = this.#parts
    const account = await accounts.byId(platform.database.reserved, id)
    if (account?.signInVersion !== signInVersion) throw noChallenge()
    forbidBanned(account.ban, now())
  }

  async #sign({ user, challenge, attempt }: Signing, answer: CreatedPasskey | SignedPasskey): Promise<Authorized> {
    const { platform, now } = this.#parts
    const { reserved } = platform.database
    await this.#requireCurrent(user)
    if (!('signature' in answer.response)) throw invalidPasskey()
    const { id, type, response } = answer
    const credentialId = Buffer.from(id, 'base64url')
    const own = await passkeys.ofUser(reserved, user.id)
    const passkey = own.find((each) => credentialId.equals(each.credentialId))
    const signed = passkey && (await this.#webauthn.verifySigned({ id, type, response }, challenge, passkey))
    if (!passkey || signed === undefined || signed === null) throw invalidPasskey()
    if (!(await passkeys.use(reserved, passkey, signed, new Date(now())))) {
      const details = { userId: user.id, passkeyId: passkey.id, signCount: signed }
      platform.log
        .of('auth')
        .warn(details, 'a passkey was refused: its counter did not grow, so it may have been cloned')
      throw invalidPasskey()
    }
    await countSuccess(this.#parts, attempt)
    return authorized(this.#parts, user, passkey.id)
  }

  async #create(
    connection: Connection,
    challenge: Creating,
    answer: CreatedPasskey | SignedPasskey,
    name: string | undefined,
  ): Promise<Authorized> {
    const { platform, challenges } = this.#parts
    if (!('attestationObject' in answer.response)) throw invalidPasskey()
    const { id, type, response } = answer
    const credential = await this.#webauthn.verifyCreated({ id, type, response }, challenge.challenge)
    if (!credential) throw invalidPasskey()
    try {
      if (challenge.purpose.kind !== 'register') await this.#requireCurrent(challenge.user)
      const { passkeyId, signInVersion, secrets } = await inTransaction(platform, (scope) =>
        this.#store(scope, challenge, credential, name),
      )
      await countSuccess(this.#parts, challenge.attempt)
      return { ...authorized(this.#parts, { ...challenge.user, signInVersion }, passkeyId), ...secrets }
    } catch (error) {
      // The database was away: the browser may send the same passkey again.
      if (!(error instanceof RpcError) && !challenges.find(connection)) challenges.hold(connection, challenge)
      throw error
    }
  }

  async #store(scope: Scope, { user, purpose }: Creating, credential: NewCredential, name = DEFAULT_NAME) {
    const { sessions, now } = this.#parts
    const { sql } = scope
    const secrets: { recoveryCodes?: string[] } = {}
    let { signInVersion } = user
    switch (purpose.kind) {
      case 'register': {
        const { totp, step } = purpose
        const recoveryCodes = newRecoveryCodes()
        secrets.recoveryCodes = recoveryCodes
        const isFree = await accounts.insert(sql, { ...user, totp, ban: null }, step, recoveryCodes)
        if (!isFree) throw new RpcError('USERNAME_TAKEN', 'Somebody else registered this name first')
        break
      }
      case 'first': {
        // Another sign-in may have made the first one meanwhile, and then that one is asked for.
        if (!(await accounts.lock(sql, user))) throw noChallenge()
        if ((await passkeys.ofUser(sql, user.id)).length > 0) throw noChallenge()
        break
      }
      case 'replace':
        if (!(await accounts.lock(sql, user))) throw noChallenge()
        signInVersion = (await accounts.cancelSignIns(sql, user.id)) ?? signInVersion
        await passkeys.removeAll(sql, user.id)
        await sessions.finishAll(scope, user.id, { reason: 'revoked' })
    }
    const passkey = await passkeys.insert(sql, user.id, credential, name, new Date(now()))
    if (!passkey) throw invalidPasskey()
    return { passkeyId: passkey.id, signInVersion, secrets }
  }
}

export function invalidPasskey(): RpcError {
  return new RpcError('INVALID_PASSKEY', 'This passkey is not right here')
}
