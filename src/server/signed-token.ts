import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'

/** `{"alg":"HS256"}` in base64url, as all tokens of ours begin. */
const HEADER = 'eyJhbGciOiJIUzI1NiJ9.'
/** Base64url of the 32 bytes of SHA-256, without padding. */
const SIGNATURE_LENGTH = 43
/** The largest of ours, the cookie of a device with eight users, has some 650. */
const MAX_LENGTH = 1024

export interface ExpectedClaims {
  readonly issuer: string
  readonly audience: string
}

/** Claims of a token that was found genuine. `iat` and `exp` are seconds since the epoch. */
export interface Claims extends Readonly<Record<string, unknown>> {
  readonly iat: number
  readonly exp: number
}

/** Reads a token; null for any that is not ours, or over. */
export type TokenReader = (token: string, expected: ExpectedClaims, nowMs: number) => Claims | null

/**
 * Verifies JWTs (RFC 7519) of HS256 without a promise, as every upgrade waits for it. It reads no more of the standard
 * than Rally's own tokens need: the header has to be ours to the letter, so that no token chooses its algorithm.
 */
export function createTokenReader(key: Uint8Array): TokenReader {
  const secret = createSecretKey(key)

  return (token, { issuer, audience }, nowMs) => {
    if (token.length > MAX_LENGTH || !token.startsWith(HEADER)) return null
    const dot = token.length - SIGNATURE_LENGTH - 1
    if (token[dot] !== '.') return null
    const signature = createHmac('sha256', secret).update(token.slice(0, dot)).digest('base64url')
    // As text: of the several spellings that base64url has for the same bytes one is taken.
    if (!isSame(signature, token.slice(dot + 1))) return null
    const claims = readClaims(token.slice(HEADER.length, dot))
    if (claims?.iss !== issuer || claims.aud !== audience || claims.exp <= Math.floor(nowMs / 1000)) return null
    return claims
  }
}

/** Takes the same time wherever they differ. */
function isSame(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function readClaims(part: string): Claims | null {
  try {
    const claims: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return hasTimes(claims) ? claims : null
  } catch {
    return null
  }
}

function hasTimes(claims: unknown): claims is Claims {
  return (
    typeof claims === 'object' &&
    claims !== null &&
    'iat' in claims &&
    typeof claims.iat === 'number' &&
    'exp' in claims &&
    typeof claims.exp === 'number'
  )
}
