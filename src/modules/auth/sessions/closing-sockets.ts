import type { Platform } from '../../platform.ts'
import { Repeating } from '../repeating.ts'
import type { Sessions } from './sessions.ts'

/** With the time that a look and a farewell take, sockets are closed well within a second. */
const EVERY_MS = 500
/** What the clocks of two nodes may differ by. */
const CLOCKS_MS = 5_000

/**
 * Looks into the database for sessions that ended lately, on any node, and closes their sockets here. The bus tells the
 * same sooner, but may lose it, and one in memory reaches no other node; the database is what all nodes share.
 *
 * One look at a time. It is over within the deadlines of the pool; while the database is away looks fail, and the first
 * that succeeds covers what they missed.
 */
export class EndedSessions {
  readonly #platform: Platform
  readonly #sessions: Pick<Sessions, 'closeEndedSince'>
  readonly #now: () => number
  /** How far looks reach back: a row is dated before its transaction commits, and by the clock of its node. */
  readonly #overlapMs: number
  readonly #looks = new Repeating(EVERY_MS, () => this.look())
  #isFailing = false
  /** When the last look began that succeeded. */
  #lookedAt: number

  constructor(platform: Platform, sessions: Pick<Sessions, 'closeEndedSince'>, now: () => number) {
    this.#platform = platform
    this.#sessions = sessions
    this.#now = now
    this.#overlapMs = platform.config.database.transactionTimeoutMs + CLOCKS_MS
    this.#lookedAt = now()
  }

  start(): void {
    this.#looks.start()
  }

  /** Waits for the look under way. */
  stop(): Promise<void> {
    return this.#looks.stop()
  }

  /** Looks once. Never rejects: the first of several failures in a row is logged, and the success that ends them. */
  async look(): Promise<void> {
    const { connections, log } = this.#platform
    const now = this.#now()
    try {
      // Who signs in later is held against the row then.
      if (connections.users().next().done !== true) {
        await this.#sessions.closeEndedSince(new Date(Math.min(this.#lookedAt, now) - this.#overlapMs))
      }
      this.#lookedAt = now
      if (this.#isFailing) log.of('auth').info('ended sessions can be looked for again')
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) log.of('auth').warn({ err: error }, 'looking for ended sessions failed, and goes on')
      this.#isFailing = true
    }
  }
}
