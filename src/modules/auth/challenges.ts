import type { Sealed } from '../../db/secret-encryption.ts'
import type { Connection } from '../../rpc/index.ts'

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
const MAX_TRIES = 5

interface Held {
  readonly challenge: Challenge
  readonly until: number
  tries: number
}

/** The challenges under way: one a socket, gone with it or after five minutes. */
export class Challenges {
  readonly #held = new WeakMap<Connection, Held>()
  readonly #elapsed: () => number

  /** `elapsed` gives milliseconds of a clock that nobody sets. */
  constructor(elapsed: () => number) {
    this.#elapsed = elapsed
  }

  /** Takes the place of the one before. */
  hold(connection: Connection, challenge: Challenge): void {
    this.#held.set(connection, { challenge, until: this.#elapsed() + LIFETIME_MS, tries: 0 })
  }

  find(connection: Connection): Challenge | null {
    return this.#find(connection)?.challenge ?? null
  }

  /** Counts an answer. Gives 0 for the first five, and for the others for how long, in ms, the challenge stays. */
  countTry(connection: Connection, challenge: Challenge): number {
    const held = this.#find(connection)
    return held?.challenge === challenge && ++held.tries > MAX_TRIES ? held.until - this.#elapsed() : 0
  }

  /** Ends a challenge; false when it has ended since it was found, so that of two answers one counts. */
  settle(connection: Connection, challenge: Challenge): boolean {
    return this.#held.get(connection)?.challenge === challenge && this.#held.delete(connection)
  }

  #find(connection: Connection): Held | undefined {
    const held = this.#held.get(connection)
    return held && held.until > this.#elapsed() ? held : undefined
  }
}
