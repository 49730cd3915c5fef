import { randomUUID } from 'node:crypto'
import { errors, jwtVerify, SignJWT } from 'jose'

/** How long after the code was accepted the browser may fetch its cookie. */
export const TICKET_MS = 30_000
/** What the clock of the node that signed may be ahead. */
const CLOCK_LEEWAY_MS = 5_000
const ALGORITHM = 'HS256'
const ISSUER = 'rally'
const AUDIENCE = 'rally:session'
/** RFC 7518, 3.2: the key is at least as long as the hash. jose itself would take five bytes. */
const MIN_KEY_BYTES = 32

export interface Ticket {
  readonly id: string
  readonly userId: string
  readonly expiresAt: number
}

/** Signs and reads tickets. That one is used once is not known here. */
export class Tickets {
  readonly #key: Uint8Array
  readonly #now: () => number

  constructor(key: Uint8Array, now: () => number) {
    if (key.length < MIN_KEY_BYTES) throw new Error(`the key of tickets needs ${MIN_KEY_BYTES} bytes or more`)
    this.#key = key
    this.#now = now
  }

  issue(userId: string): Promise<string> {
    const now = this.#now()
    return new SignJWT()
      .setProtectedHeader({ alg: ALGORITHM })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setSubject(userId)
      .setJti(randomUUID())
      .setIssuedAt(Math.floor(now / 1000))
      .setExpirationTime(Math.floor((now + TICKET_MS) / 1000))
      .sign(this.#key)
  }

  /** Null for anything but a ticket of ours that has not expired, and that never had longer to live than ours have. */
  async read(token: string): Promise<Ticket | null> {
    try {
      const { payload } = await jwtVerify(token, this.#key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['exp', 'iat', 'jti', 'sub'],
        currentDate: new Date(this.#now()),
      })
      const { jti, sub, iat, exp } = payload
      if (typeof jti !== 'string' || jti === '' || typeof sub !== 'string') return null
      if (typeof iat !== 'number' || typeof exp !== 'number') return null
      if ((exp - iat) * 1000 > TICKET_MS || exp * 1000 > this.#now() + TICKET_MS + CLOCK_LEEWAY_MS) return null
      return { id: jti, userId: sub, expiresAt: exp * 1000 }
    } catch (error) {
      if (error instanceof errors.JOSEError) return null
      throw error
    }
  }
}
