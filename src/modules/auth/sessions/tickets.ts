import { randomUUID } from 'node:crypto'
import { createSignedTokens, type SignedTokens } from '../../../signed-token.ts'

/** The browser must exchange a ticket for its cookie within this time after the code was accepted. */
export const TICKET_MS = 30_000
/** How far ahead the clock of the node that signed may be. */
const CLOCK_LEEWAY_MS = 5_000
const AUDIENCE = 'rally:session'

export interface Ticket {
  readonly id: string
  readonly userId: string
  readonly expiresAt: number
}

/** Signs and reads tickets. `sessions.redeem` takes care that a ticket counts once. */
export class Tickets {
  readonly #tokens: SignedTokens
  readonly #now: () => number

  /** @throws Error when the key is too short */
  constructor(key: Uint8Array, now: () => number) {
    this.#tokens = createSignedTokens(key)
    this.#now = now
  }

  issue(userId: string): string {
    return this.#tokens.sign(AUDIENCE, { sub: userId, jti: randomUUID() }, this.#now(), TICKET_MS)
  }

  /** Null for anything but a genuine ticket whose time is not over. */
  read(token: string): Ticket | null {
    const now = this.#now()
    const claims = this.#tokens.read(AUDIENCE, token, now)
    if (typeof claims?.jti !== 'string' || claims.jti === '' || typeof claims.sub !== 'string') return null
    const { jti, sub, iat, exp } = claims
    if ((exp - iat) * 1000 > TICKET_MS || exp * 1000 > now + TICKET_MS + CLOCK_LEEWAY_MS) return null
    return { id: jti, userId: sub, expiresAt: exp * 1000 }
  }
}
