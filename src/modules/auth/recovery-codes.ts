import { createHmac, randomInt } from 'node:crypto'

/** The number of codes that a user gets. */
const RECOVERY_CODES = 10
const GROUPS = 4
const GROUP_LENGTH = 4
/** Crockford's base32, without the letters that look like digits. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, newRecoveryCode)
}

/** A code like `7k2m-x09d-aaf3-tz8q`: 80 random bits. */
export function newRecoveryCode(): string {
  const character = () => ALPHABET.charAt(randomInt(ALPHABET.length))
  const group = () => Array.from({ length: GROUP_LENGTH }, character).join('')
  return Array.from({ length: GROUPS }, group).join('-')
}

/**
 * The hash that is stored: HMAC-SHA-256 with the user's id as the salt. 80 random bits need no slow hash. The key is not
 * secret, because rotating or losing a secret key would make every printed code worthless.
 */
export function hashRecoveryCode(userId: string, code: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHmac('sha256', `rally recovery code of ${userId}`).update(normalise(code)).digest())
}

/** Accepts what people type: capitals, spaces, no hyphens, `O` for `0`, `I` or `L` for `1`. */
function normalise(code: string): string {
  return code.toLowerCase().replace(/[\s-]/g, '').replace(/o/g, '0').replace(/[il]/g, '1')
}
