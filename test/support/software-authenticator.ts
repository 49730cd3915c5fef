import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { CreatedPasskey, PasskeyCreation, PasskeyRequest, SignedPasskey } from '../../src/modules/auth/types.ts'

/** What an answer says; a test makes one of them wrong. */
export interface AnswerOptions {
  readonly challenge?: string
  readonly origin?: string
  readonly rpId?: string
  readonly type?: string
  readonly userVerified?: boolean
  readonly userPresent?: boolean
  /** Default: one more than the last. */
  readonly signCount?: number
  readonly backupEligible?: boolean
  readonly userHandle?: string
  /** Another key signs. */
  readonly key?: KeyObject
}

interface Credential {
  readonly id: string
  readonly rpId: string
  readonly userHandle: string
  readonly key: KeyObject
  readonly backupEligible: boolean
}

/** A security key and its browser in software: makes passkeys (ES256, without attestation) and signs with them. */
export class SoftwareAuthenticator {
  readonly #origin: string
  readonly credentials: Credential[] = []
  #signCount = 0

  constructor(origin: string) {
    this.#origin = origin
  }

  create(creation: PasskeyCreation, options: AnswerOptions & { readonly credentialId?: string } = {}): CreatedPasskey {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    const id = options.credentialId ?? randomBytes(16).toString('base64url')
    const { backupEligible = false } = options
    const rpId = creation.rp.id
    this.credentials.push({ id, rpId, userHandle: creation.user.id, key: privateKey, backupEligible })

    const bytes = Buffer.from(id, 'base64url')
    // COSE_Key: { 1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y } (RFC 9053, 7.1.1)
    const key = Buffer.concat([
      Buffer.from('a5010203262001215820', 'hex'),
      Buffer.from(x, 'base64url'),
      Buffer.from('225820', 'hex'),
      Buffer.from(y, 'base64url'),
    ])
    const length = Buffer.alloc(2)
    length.writeUInt16BE(bytes.length)
    const attested = Buffer.concat([Buffer.alloc(16), length, bytes, key])
    const authData = this.#authData(rpId, { ...options, backupEligible }, attested)
    return {
      id,
      type: 'public-key',
      response: {
        clientDataJSON: this.#clientData('webauthn.create', creation.challenge, options).toString('base64url'),
        attestationObject: attestationObject('none', Buffer.from([0xa0]), authData),
        transports: ['internal'],
      },
    }
  }

  /** Signs with the newest of its passkeys that is asked for. */
  sign(request: PasskeyRequest, options: AnswerOptions = {}): SignedPasskey {
    const allowed = request.allowCredentials.map(({ id }) => id)
    const credential = this.credentials.findLast(({ id }) => allowed.includes(id)) ?? this.credentials.at(-1)
    if (!credential) throw new Error('this authenticator has no passkey')
    const { id, rpId, userHandle, backupEligible } = credential
    const authData = this.#authData(rpId, { backupEligible, ...options })
    const clientData = this.#clientData('webauthn.get', request.challenge, options)
    const signed = Buffer.concat([authData, sha256(clientData)])
    return {
      id,
      type: 'public-key',
      response: {
        clientDataJSON: clientData.toString('base64url'),
        authenticatorData: authData.toString('base64url'),
        signature: sign('sha256', signed, options.key ?? credential.key).toString('base64url'),
        userHandle: options.userHandle ?? userHandle,
      },
    }
  }

  #clientData(type: string, challenge: string, options: AnswerOptions): Buffer {
    const { origin = this.#origin } = options
    const data = { type: options.type ?? type, challenge: options.challenge ?? challenge, origin, crossOrigin: false }
    return Buffer.from(JSON.stringify(data))
  }

  /** WebAuthn, 6.1. */
  #authData(rpId: string, options: AnswerOptions, attested: Buffer = Buffer.alloc(0)): Buffer {
    const { userPresent = true, userVerified = true, backupEligible = false } = options
    const head = Buffer.alloc(5)
    head[0] =
      (userPresent ? 1 : 0) | (userVerified ? 4 : 0) | (backupEligible ? 8 : 0) | (attested.length > 0 ? 0x40 : 0)
    this.#signCount = options.signCount ?? this.#signCount + 1
    head.writeUInt32BE(this.#signCount, 1)
    return Buffer.concat([sha256(options.rpId ?? rpId), head, attested])
  }
}

/** CBOR: { fmt, attStmt, authData } (WebAuthn, 6.5.4). `statement` is CBOR already. */
export function attestationObject(format: string, statement: Buffer, authData: Buffer): string {
  const text = (value: string) => Buffer.concat([Buffer.from([0x60 + value.length]), Buffer.from(value)])
  const length = Buffer.from([0x59, authData.length >> 8, authData.length & 0xff])
  return Buffer.concat([
    Buffer.from([0xa3]),
    text('fmt'),
    text(format),
    text('attStmt'),
    statement,
    text('authData'),
    length,
    authData,
  ]).toString('base64url')
}

function sha256(data: string | Buffer): Buffer {
  return createHash('sha256').update(data).digest()
}
