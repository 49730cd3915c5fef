import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'

/** `{"alg":"HS256"}` in base64url: the start of every token. */
const HEADER = 'eyJhbGciOiJIUzI1NiJ9.'
/** 32 bytes of SHA-256 in base64url, without padding. */
const SIGNATURE_LENGTH = 43
/** The largest token, a device with eight users, has about 650 characters. */
const MAX_LENGTH = 1024
/** The key must be at least as long as the hash (RFC 7518, 3.2). */
const MIN_KEY_BYTES = 32
const ISSUER = 'rally'

/**
 * Signs and reads JWTs (RFC 7519, HS256) without a promise, because every upgrade waits for the answer. It reads only what
 * it writes: the header must be the same text, so no token can choose its algorithm.
 *
 * @throws Error when the key is too short
 */
export function createSignedTokens(key: Uint8Array) {
  if (key.length < MIN_KEY_BYTES) throw new Error(`a key for tokens needs ${MIN_KEY_BYTES} bytes or more`)
  const secret = createSecretKey(key)
  const signatureOf = (text: string): string => createHmac('sha256', secret).update(text).digest('base64url')

  return {
    /** The token ends `lifeMs` after `nowMs`, in whole seconds. */
    sign(audience: string, claims: Readonly<Record<string, unknown>>, nowMs: number, lifeMs: number): string {
      const iat = Math.floor(nowMs / 1000)
      const times = { iat, exp: iat + Math.floor(lifeMs / 1000) }
      const payload = JSON.stringify({ ...claims, iss: ISSUER, aud: audience, ...times })
      const signed = HEADER + Buffer.from(payload).toString('base64url')
      return `${signed}.${signatureOf(signed)}`
    },

    /** Null for a token that has ended, is for another audience, or was not made by `sign` with this key. */
    read(audience: string, token: string, nowMs: number): Claims | null {
      if (token.length > MAX_LENGTH || !token.startsWith(HEADER)) return null
      const dot = token.length - SIGNATURE_LENGTH - 1
      if (token[dot] !== '.') return null
      // Compared as text, because base64url can spell the same bytes in several ways.
      if (!isSameText(signatureOf(token.slice(0, dot)), token.slice(dot + 1))) return null
      const claims = readClaims(token.slice(HEADER.length, dot))
      if (claims?.iss !== ISSUER || claims.aud !== audience || claims.exp <= Math.floor(nowMs / 1000)) return null
      return claims
    },
  }
}

export type SignedTokens = ReturnType<typeof createSignedTokens>

/** Whether two texts are the same. Takes the same time wherever they differ. */
export function isSameText(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)]
  return left.length === right.length && timingSafeEqual(left, right)
}

function readClaims(part: string): Claims | null {
  try {
    return Claims.parse(JSON.parse(Buffer.from(part, 'base64url').toString()))
  } catch {
    return null
  }
}

const Claims = z.looseObject({ iat: z.number(), exp: z.number() })

/** The claims of a token whose signature is right. `iat` and `exp` are seconds since the epoch. */
export type Claims = Readonly<z.infer<typeof Claims>>
