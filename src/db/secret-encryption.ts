import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Once, WriteKey } from '../rpc/write-once.ts'
import type { EncryptionKey } from '../secrets.ts'
import type { Transaction } from './transaction.ts'

/** Ciphertext and the id of the key that made it. `bytes` are nonce (12), tag (16) and the text. */
export interface Sealed {
  readonly keyId: string
  readonly bytes: Uint8Array<ArrayBuffer>
}

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * Encrypts secrets at rest with AES-256-GCM. The owner's id is the associated data, so that a row's ciphertext copied
 * to another user's row does not open.
 */
export class SecretBox {
  readonly #newest: EncryptionKey
  readonly #keys: ReadonlyMap<string, EncryptionKey>

  /** `keys` are newest first: the first one seals, all of them open. */
  constructor(keys: readonly [EncryptionKey, ...EncryptionKey[]]) {
    this.#newest = keys[0]
    this.#keys = new Map(keys.map((key) => [key.id, key]))
  }

  seal(text: string, ownerId: string): Sealed {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv(ALGORITHM, this.#newest.key, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(Buffer.from(ownerId))
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return { keyId: this.#newest.id, bytes: new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), body])) }
  }

  /** @throws Error when the key is not known, or the bytes are not what this key sealed for this owner. */
  open(sealed: Sealed, ownerId: string): string {
    const key = this.#keys.get(sealed.keyId)
    if (!key) throw new Error(`a secret is encrypted with key "${sealed.keyId}", which is not in ENCRYPTION_KEY`)
    const bytes = Buffer.from(sealed.bytes)
    const nonce = bytes.subarray(0, NONCE_BYTES)
    const decipher = createDecipheriv(ALGORITHM, key.key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAAD(Buffer.from(ownerId))
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    return decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
  }

  /** Whether the newest key made it. */
  isCurrent(sealed: Pick<Sealed, 'keyId'>): boolean {
    return sealed.keyId === this.#newest.id
  }
}

/** Encrypts answers that hold secrets before they are kept, so that a copy of the database does not show them. */
export function sealSecretAnswers(
  once: Once<Transaction>,
  keys: readonly [EncryptionKey, ...EncryptionKey[]],
): Once<Transaction> {
  const box = new SecretBox(keys)
  const owner = ({ userId, eid }: WriteKey) => `${userId} ${eid}`

  const seal = (key: WriteKey, answer: string): string => {
    const { keyId, bytes } = box.seal(answer, owner(key))
    return `${keyId}:${Buffer.from(bytes).toString('base64')}`
  }
  const open = (key: WriteKey, text: string): string => {
    const [keyId = '', bytes = ''] = text.split(':', 2)
    return box.open({ keyId, bytes: new Uint8Array(Buffer.from(bytes, 'base64')) }, owner(key))
  }

  return {
    recall(key) {
      const known = once.recall(key)
      if (known === undefined || !key.isSecret) return known
      return typeof known === 'string' ? open(key, known) : known.then((text) => open(key, text))
    },

    async run(key, execute, answerOf, onDoubt) {
      if (!key.isSecret) return once.run(key, execute, answerOf, onDoubt)
      const sealedAnswerOf = (error: unknown) => {
        const failure = answerOf?.(error)
        return failure === undefined ? undefined : seal(key, failure)
      }
      const sealed = async (tx: Transaction) => seal(key, await execute(tx))
      const { answer, executed } = await once.run(key, sealed, sealedAnswerOf, onDoubt)
      return { answer: open(key, answer), executed }
    },
  }
}
