import type { Sealed } from '../../db/secret-encryption.ts'
import type { Connection } from '../../rpc/index.ts'
import type { SigningIn } from './accounts.ts'
import type { Attempt } from './limits/lockouts.ts'

/**
 * What the next request of a sign-in, or of a change of the authenticator or the passkeys, must prove on this socket. `totp`
 * is the secret that the code must come from, `challenge` what the passkey must sign, in base64url. `attempt` stays counted
 * until the passkey is right.
 */
export type Challenge =
  | { readonly kind: 'user'; readonly userId: string; readonly username: string }
  | {
      readonly kind: 'candidate'
      /** The id that the user will have. */
      readonly userId: string
      readonly username: string
      readonly displayName: string
      readonly totp: Sealed
    }
  | { readonly kind: 'rotation'; readonly userId: string; readonly totp: Sealed }
  | { readonly kind: 'passkey'; readonly user: SigningIn; readonly challenge: string; readonly attempt: Attempt }
  | {
      readonly kind: 'newPasskey'
      readonly user: SigningIn
      readonly challenge: string
      readonly attempt: Attempt
      /** What the passkey does beside signing in: it registers a candidate, is the first one, or replaces lost ones. */
      readonly purpose:
        | { readonly kind: 'register'; readonly totp: Sealed; readonly step: number }
        | { readonly kind: 'first' }
        | { readonly kind: 'replace' }
    }
  | { readonly kind: 'addedPasskey'; readonly userId: string; readonly challenge: string }

/** Milliseconds. */
export const CHALLENGE_LIFETIME_MS = 5 * 60_000
/** Wrong codes of a candidate. Those of a user are counted in `limits/`. */
const MAX_TRIES = 5

interface Held {
  readonly challenge: Challenge
  readonly until: number
  tries: number
}

/** One challenge for each socket. It ends with the socket: on another node, or after a reconnect, `begin` comes first. */
export class Challenges {
  readonly #held = new WeakMap<Connection, Held>()
  readonly #elapsed: () => number

  /** @param elapsed a monotonic clock, ms */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed
  }

  /** Replaces the challenge that the socket had. */
  hold(connection: Connection, challenge: Challenge): void {
    this.#held.set(connection, { challenge, until: this.#elapsed() + CHALLENGE_LIFETIME_MS, tries: 0 })
  }

  find(connection: Connection): Challenge | null {
    return this.#find(connection)?.challenge ?? null
  }

  /** Counts an answer. Gives 0 for the first five; for each further one the time in ms until the challenge ends. */
  countTry(connection: Connection, challenge: Challenge): number {
    const held = this.#find(connection)
    return held?.challenge === challenge && ++held.tries > MAX_TRIES ? held.until - this.#elapsed() : 0
  }

  /** Ends a challenge. False when it had ended already, so that of two right answers one counts. */
  settle(connection: Connection, challenge: Challenge): boolean {
    return this.#held.get(connection)?.challenge === challenge && this.#held.delete(connection)
  }

  #find(connection: Connection): Held | undefined {
    const held = this.#held.get(connection)
    return held && held.until > this.#elapsed() ? held : undefined
  }
}
