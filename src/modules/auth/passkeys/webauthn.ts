import { randomBytes } from 'node:crypto'
import type { Config } from '../../../config.ts'
import type { Logger } from '../../../logger.ts'
import { CHALLENGE_LIFETIME_MS } from '../challenges.ts'
import type { CreatedPasskey, PasskeyCreation, PasskeyRequest, SignedPasskey, User } from '../types.ts'
import type { NewCredential, StoredPasskey } from './stored-passkeys.ts'

/** EdDSA, ES256, RS256 (RFC 9053): what Node 20 verifies and every authenticator has one of. */
const ALGORITHMS = [-8, -7, -257]
/** An RSA key of 4,096 bits has 529. */
const MAX_PUBLIC_KEY_BYTES = 1_024
const CHALLENGE_BYTES = 32
const RP_NAME = 'Rally'

type Library = typeof import('@simplewebauthn/server')
type Decode = typeof import('@simplewebauthn/server/helpers')['decodeAttestationObject']

/** Rally as a relying party (WebAuthn Level 3, 7): what browsers are asked for, and whether their answers are right. */
export class WebAuthn {
  readonly #rpId: string
  readonly #origins: ReadonlySet<string>
  readonly #log: Logger
  #library: { readonly webauthn: Library; readonly decode: Decode } | undefined

  constructor({ publicUrl, allowedOrigins }: Pick<Config, 'publicUrl' | 'allowedOrigins'>, log: Logger) {
    this.#rpId = new URL(publicUrl).hostname
    this.#origins = allowedOrigins
    this.#log = log
  }

  /** Loads the library: 200 ms and 25 MiB that a server without passkeys does not need. */
  async start(): Promise<void> {
    const [webauthn, helpers] = await Promise.all([
      import('@simplewebauthn/server'),
      import('@simplewebauthn/server/helpers'),
    ])
    this.#library = { webauthn, decode: helpers.decodeAttestationObject }
  }

  /** Asks for a new passkey. `known`: the user's own, whose authenticators are to refuse. */
  creation(user: User, known: readonly StoredPasskey[]): PasskeyCreation {
    return {
      challenge: newChallenge(),
      rp: { id: this.#rpId, name: RP_NAME },
      user: { id: userHandle(user.id), name: user.username, displayName: user.displayName },
      pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
      timeout: CHALLENGE_LIFETIME_MS,
      attestation: 'none',
      authenticatorSelection: {
        residentKey: 'preferred',
        requireResidentKey: false,
        userVerification: 'required',
      },
      excludeCredentials: known.map(descriptor),
    }
  }

  /** Asks for a signature with one of these passkeys. */
  request(known: readonly StoredPasskey[]): PasskeyRequest {
    return {
      challenge: newChallenge(),
      rpId: this.#rpId,
      timeout: CHALLENGE_LIFETIME_MS,
      userVerification: 'required',
      allowCredentials: known.map(descriptor),
    }
  }

  /** The new credential, or null when the answer is not a right one to `challenge`. */
  async verifyCreated({ id, type, response }: CreatedPasskey, challenge: string): Promise<NewCredential | null> {
    const { webauthn, decode } = this.#loaded()
    const { transports = [], ...answer } = response
    return this.#orNull(async () => {
      // The library would check any other statement, and may fetch an address that a certificate in it names.
      const statement = decode(bytesOf(answer.attestationObject))
      const isSelf = statement.get('fmt') === 'packed' && statement.get('attStmt').get('x5c') === undefined
      if (statement.get('fmt') !== 'none' && !isSelf) return null
      const { verified, registrationInfo } = await webauthn.verifyRegistrationResponse({
        response: { id, rawId: id, type, clientExtensionResults: {}, response: answer },
        expectedChallenge: challenge,
        expectedOrigin: [...this.#origins],
        expectedRPID: this.#rpId,
        requireUserVerification: true,
        supportedAlgorithmIDs: ALGORITHMS,
      })
      if (!verified) return null
      const { credential, credentialDeviceType } = registrationInfo
      if (credential.id !== id || credential.publicKey.length > MAX_PUBLIC_KEY_BYTES) return null
      return {
        credentialId: bytesOf(id),
        publicKey: credential.publicKey,
        signCount: credential.counter,
        transports,
        backupEligible: credentialDeviceType === 'multiDevice',
      }
    })
  }

  /**
   * The signature counter of a right answer to `challenge`, else null. Whether the counter has grown is decided where it is
   * stored.
   */
  async verifySigned(signed: SignedPasskey, challenge: string, stored: StoredPasskey): Promise<number | null> {
    const { id, type, response } = signed
    const { userHandle: handle, ...answer } = response
    if (handle && handle !== userHandle(stored.userId)) return null
    const { webauthn } = this.#loaded()
    return this.#orNull(async () => {
      const { verified, authenticationInfo } = await webauthn.verifyAuthenticationResponse({
        response: { id, rawId: id, type, clientExtensionResults: {}, response: answer },
        expectedChallenge: challenge,
        expectedOrigin: [...this.#origins],
        expectedRPID: this.#rpId,
        credential: { id, publicKey: new Uint8Array(stored.publicKey), counter: 0 },
        requireUserVerification: true,
      })
      const isEligible = authenticationInfo.credentialDeviceType === 'multiDevice'
      return verified && isEligible === stored.backupEligible ? authenticationInfo.newCounter : null
    })
  }

  /** The library throws for every answer that is wrong. */
  async #orNull<T>(verify: () => Promise<T | null>): Promise<T | null> {
    try {
      return await verify()
    } catch {
      // The library's message may quote the challenge.
      this.#log.debug('the answer of a passkey is wrong')
      return null
    }
  }

  #loaded() {
    if (!this.#library) throw new Error('passkeys are asked for before the service has started')
    return this.#library
  }
}

function newChallenge(): string {
  return randomBytes(CHALLENGE_BYTES).toString('base64url')
}

/** What authenticators know a user by: the id, which says nothing of its user (WebAuthn, 14.6.1). */
function userHandle(userId: string): string {
  return Buffer.from(userId).toString('base64url')
}

function descriptor({ credentialId, transports }: StoredPasskey): PasskeyRequest['allowCredentials'][number] {
  return { id: Buffer.from(credentialId).toString('base64url'), type: 'public-key', transports: [...transports] }
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(base64url, 'base64url'))
}
