import { createHash, randomBytes } from 'node:crypto'

/** Scanners for secrets find tokens by their beginning. */
const PREFIX = 'rally_'
const BYTES = 32
const FORM = /^rally_[\w-]{43}$/

/** A new token: `rally_` and 32 random bytes in base64url. */
export function newToken(): string {
  return PREFIX + randomBytes(BYTES).toString('base64url')
}

/** What is stored of a token, in hexadecimal. Random bytes need no slow hash. Null for what cannot be a token. */
export function hashOfToken(token: string): string | null {
  return FORM.test(token) ? createHash('sha256').update(token).digest('hex') : null
}
