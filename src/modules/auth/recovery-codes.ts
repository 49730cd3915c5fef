import { createHmac, randomInt } from 'node:crypto'

/** How many a user has. */
export const RECOVERY_CODES = 10
const GROUPS = 4
const GROUP_LENGTH = 4
/** Crockford's base32: no letter that is taken for a digit. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** Ten different codes like `7k2m-x09d-aaf3-tz8q`, 80 random bits each. */
export function newRecoveryCodes(): string[] {
  const codes = new Set<string>()
  while (codes.size < RECOVERY_CODES) codes.add(newRecoveryCode())
  return [...codes]
}

function newRecoveryCode(): string {
  const character = () => ALPHABET.charAt(randomInt(ALPHABET.length))
  const group = () => Array.from({ length: GROUP_LENGTH }, character).join('')
  return Array.from({ length: GROUPS }, group).join('-')
}

/**
 * What is stored of a code: its HMAC-SHA-256 with the user's id as the key, which acts as a salt. A slow hash is for
 * secrets that people choose; 80 random bits are out of reach of a search whatever the hash. And a hash without a
 * server's key has none that could be rotated or lost, which would void every printed code without a word.
 */
export function hashRecoveryCode(userId: string, code: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHmac('sha256', `rally recovery code of ${userId}`).update(normalise(code)).digest())
}

/** As people type it: capitals, spaces, no hyphens, `O` for `0`, `I` or `L` for `1`. */
function normalise(code: string): string {
  return code.toLowerCase().replace(/[\s-]/g, '').replace(/o/g, '0').replace(/[il]/g, '1')
}
