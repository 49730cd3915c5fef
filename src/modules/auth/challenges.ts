import type { Connection } from '../../rpc/index.ts'
import type { Sealed } from './secret-box.ts'

/** What a code on a socket is the answer to. `totp` is what the code has to come from. */
export type Challenge =
  | { readonly kind: 'user'; readonly userId: string; readonly username: string }
  | {
      readonly kind: 'candidate'
      /** Reserved: the user has it if the code is right. */
      readonly userId: string
      readonly username: string
      readonly displayName: string
      readonly totp: Sealed
    }
  | { readonly kind: 'rotation'; readonly userId: string; readonly totp: Sealed }

const LIFETIME_MS = 5 * 60_000

/** The challenges under way: one a socket, gone with it or after five minutes. */
export class Challenges {
  readonly #held = new WeakMap<Connection, { readonly challenge: Challenge; readonly until: number }>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Takes the place of the one before. */
  hold(connection: Connection, challenge: Challenge): void {
    this.#held.set(connection, { challenge, until: this.#now() + LIFETIME_MS })
  }

  find(connection: Connection): Challenge | null {
    const held = this.#held.get(connection)
    return held && held.until > this.#now() ? held.challenge : null
  }

  /** Ends a challenge; false when it has ended since it was found, so that of two answers one counts. */
  settle(connection: Connection, challenge: Challenge): boolean {
    return this.#held.get(connection)?.challenge === challenge && this.#held.delete(connection)
  }
}
