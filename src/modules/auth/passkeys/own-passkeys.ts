import { type Call, RpcError } from '../../../rpc/index.ts'
import type { Scope } from '../../scope.ts'
import { accounts } from '../accounts.ts'
import { type AuthParts, noChallenge, requireFreshSession, signedIn, socketOf } from '../auth-parts.ts'
import type { CreatedPasskey, PasskeyAdded, PasskeyInfo } from '../types.ts'
import { invalidPasskey } from './passkey-step.ts'
import { MAX_PASSKEYS, passkeys, toPasskeyInfo } from './stored-passkeys.ts'
import type { WebAuthn } from './webauthn.ts'

/** What a signed-in user does with their passkeys. */
export class OwnPasskeys {
  readonly #parts: AuthParts

  constructor(parts: AuthParts) {
    this.#parts = parts
  }

  /** No query where passkeys are not asked for. */
  async list(scope: Scope, userId: string): Promise<{ required: boolean; items: PasskeyInfo[] }> {
    if (!this.#parts.webauthn) return { required: false, items: [] }
    const own = await passkeys.ofUser(scope.sql, userId)
    return { required: true, items: own.map(toPasskeyInfo) }
  }

  /** What the browser needs for a new passkey; the socket holds its challenge for five minutes. @throws RpcError FORBIDDEN, TOO_MANY_PASSKEYS */
  async prepareAdding(scope: Scope, call: Call): Promise<PasskeyAdded> {
    const webauthn = this.#required()
    const { user } = signedIn(call)
    const connection = socketOf(call)
    await requireFreshSession(this.#parts, call)
    const own = await passkeys.ofUser(scope.sql, user.id)
    if (own.length >= MAX_PASSKEYS) throw tooMany()
    const creation = webauthn.creation(user, own)
    const { challenge } = creation
    this.#parts.challenges.hold(connection, { kind: 'addedPasskey', userId: user.id, challenge })
    return { status: 'newPasskey', creation }
  }

  /** Ends the socket's challenge and gives what had to be signed; null without a challenge of this user. */
  takeChallenge(call: Call): string | null {
    const { challenges } = this.#parts
    const connection = socketOf(call)
    const challenge = challenges.find(connection)
    if (challenge?.kind !== 'addedPasskey' || challenge.userId !== signedIn(call).user.id) return null
    return challenges.settle(connection, challenge) ? challenge.challenge : null
  }

  /** @throws RpcError NO_CHALLENGE, INVALID_PASSKEY, TOO_MANY_PASSKEYS; FORBIDDEN where passkeys are not asked for */
  async add(
    scope: Scope,
    call: Call,
    challenge: string | null,
    created: CreatedPasskey,
    name: string,
  ): Promise<PasskeyAdded> {
    const webauthn = this.#required()
    if (challenge === null) throw noChallenge()
    const credential = await webauthn.verifyCreated(created, challenge)
    if (!credential) throw invalidPasskey()
    const { user, sessionId } = signedIn(call)
    if (!(await accounts.lockSignedIn(scope.sql, user.id, sessionId))) throw noChallenge()
    const own = await passkeys.ofUser(scope.sql, user.id)
    if (own.length >= MAX_PASSKEYS) throw tooMany()
    const passkey = await passkeys.insert(scope.sql, user.id, credential, name, new Date(this.#parts.now()))
    if (!passkey) throw invalidPasskey()
    return { status: 'added', passkey: toPasskeyInfo(passkey) }
  }

  /** Null when the user has no such passkey. @throws RpcError FORBIDDEN where passkeys are not asked for */
  async rename(scope: Scope, userId: string, id: string, name: string): Promise<PasskeyInfo | null> {
    this.#required()
    const renamed = await passkeys.rename(scope.sql, userId, id, name)
    return renamed && toPasskeyInfo(renamed)
  }

  /** @throws RpcError FORBIDDEN in an older session, or where passkeys are not asked for */
  async prepareRemoving(call: Call): Promise<void> {
    this.#required()
    await requireFreshSession(this.#parts, call)
  }

  /**
   * Removes a passkey and ends the sessions that it began, but this one. False when the user has no such passkey, or this session has
   * ended.
   *
   * @throws RpcError LAST_PASSKEY
   */
  async remove(scope: Scope, call: Call, id: string): Promise<boolean> {
    const { user, sessionId } = signedIn(call)
    if (!(await accounts.lockSignedIn(scope.sql, user.id, sessionId))) return false
    const own = await passkeys.ofUser(scope.sql, user.id)
    if (!own.some((passkey) => passkey.id === id)) return false
    if (own.length === 1) throw new RpcError('LAST_PASSKEY', 'Add another passkey before you remove the last one')
    await passkeys.remove(scope.sql, user.id, id)
    await this.#parts.sessions.finishAll(scope, user.id, { reason: 'revoked' }, { exceptId: sessionId, passkeyId: id })
    return true
  }

  #required(): WebAuthn {
    const { webauthn } = this.#parts
    if (!webauthn) throw new RpcError('FORBIDDEN', 'This server asks for no passkeys')
    return webauthn
  }
}

function tooMany(): RpcError {
  return new RpcError('TOO_MANY_PASSKEYS', `You have ${MAX_PASSKEYS} passkeys. Remove one first`)
}
