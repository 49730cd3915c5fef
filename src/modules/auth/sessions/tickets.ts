import { randomUUID } from 'node:crypto'
import { createSignedTokens, type SignedTokens } from '../../../signed-token.ts'
import type { SigningIn } from '../accounts.ts'

/** The browser must exchange a ticket for its cookie within this time after the code was accepted. */
const TICKET_MS = 30_000
/** How far ahead the clock of the node that signed a ticket may be. */
const CLOCK_LEEWAY_MS = 5_000
const AUDIENCE = 'rally:session'

/** What a ticket says. Whether it was used before is in the database. */
export interface Ticket {
  readonly id: string
  readonly endsAt: Date
  readonly userId: string
  /** The ticket counts while the user's row has the same. */
  readonly signInVersion: number
  /** The passkey that took part. */
  readonly passkeyId: string | undefined
}

/** Signs and reads the JWTs that prove for 30 seconds that somebody has signed in. */
export class Tickets {
  readonly #tokens: SignedTokens
  readonly #now: () => number

  /** @throws Error when the key is too short */
  constructor(key: Uint8Array, now: () => number) {
    this.#tokens = createSignedTokens(key)
    this.#now = now
  }

  issue(user: Pick<SigningIn, 'id' | 'signInVersion'>, passkeyId?: string): string {
    const claims = { sub: user.id, jti: randomUUID(), passkey: passkeyId, version: user.signInVersion }
    return this.#tokens.sign(AUDIENCE, claims, this.#now(), TICKET_MS)
  }

  /** Null for a token that is forged, no ticket, too old, or made to live longer. */
  read(token: string): Ticket | null {
    const now = this.#now()
    const claims = this.#tokens.read(AUDIENCE, token, now)
    if (!claims) return null
    const { jti: id, sub: userId, passkey, version, iat, exp } = claims
    if (typeof id !== 'string' || id === '' || typeof userId !== 'string' || typeof version !== 'number') return null
    const endsAt = exp * 1000
    if (endsAt - iat * 1000 > TICKET_MS || endsAt > now + TICKET_MS + CLOCK_LEEWAY_MS) return null
    return {
      id,
      endsAt: new Date(endsAt),
      userId,
      signInVersion: version,
      passkeyId: typeof passkey === 'string' ? passkey : undefined,
    }
  }
}
