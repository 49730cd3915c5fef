import type { Once, WriteKey } from '../rpc/write-once.ts'
import type { EncryptionKey } from '../secrets.ts'
import { SecretBox } from './secret-encryption.ts'
import type { Transaction } from './transaction.ts'

/**
 * Encrypts the answers of writes that hold secrets before they are kept, so that a copy of the database does not show
 * them. All other answers are kept as they are.
 */
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

    async run(key, execute, answerOf) {
      if (!key.isSecret) return once.run(key, execute, answerOf)
      const { answer, executed } = await once.run(
        key,
        async (tx) => seal(key, await execute(tx)),
        (error) => {
          const failure = answerOf?.(error)
          return failure === undefined ? undefined : seal(key, failure)
        },
      )
      return { answer: open(key, answer), executed }
    },
  }
}
