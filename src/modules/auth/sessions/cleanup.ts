import type { Platform } from '../../platform.ts'
import type { AttemptCounters } from '../limits/attempt-counters.ts'
import { Repeating } from '../repeating.ts'
import type { Sessions } from './sessions.ts'

const EVERY_MS = 30_000
const BATCH = 1000
/** Of each kind and round: what is more waits for the next one. */
const MAX_BATCHES = 20
const HOUR = 60 * 60_000
const DAY = 24 * HOUR

/**
 * Ends sessions whose time is over, closes sockets whose session is over, and deletes rows that nothing asks for any
 * more. Any number of nodes may do so at once.
 */
export class Housekeeping {
  readonly #platform: Platform
  readonly #sessions: Sessions
  readonly #attempts: AttemptCounters
  readonly #now: () => number
  readonly #rounds = new Repeating(EVERY_MS, () => this.round())

  constructor(platform: Platform, sessions: Sessions, attempts: AttemptCounters, now: () => number) {
    this.#platform = platform
    this.#sessions = sessions
    this.#attempts = attempts
    this.#now = now
  }

  start(): void {
    this.#rounds.start()
  }

  /** Waits for the round under way. */
  stop(): Promise<void> {
    return this.#rounds.stop()
  }

  /** Does everything once. Never rejects: what fails is logged and tried again in the next round. */
  async round(): Promise<void> {
    await this.#guarded('closing sockets of ended sessions', () => this.#sessions.closeEnded())
    await this.#batches('ending old sessions', () => this.#sessions.expire(BATCH))
    await this.#batches('deleting old sessions', () => this.#deleteSessions())
    await this.#batches('deleting used tickets', () => this.#deleteTickets())
    await this.#batches('deleting old attempts', () => this.#attempts.deleteOld(BATCH))
  }

  async #batches(what: string, batch: () => Promise<number>): Promise<void> {
    await this.#guarded(what, async () => {
      for (let count = 0; count < MAX_BATCHES && !this.#rounds.isStopped; count++) {
        if ((await batch()) < BATCH) return
      }
    })
  }

  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.#platform.log.of('auth').warn({ err: error }, `${what} failed`)
    }
  }

  /** Ended ones stay until they would have expired, and all for a day longer. */
  #deleteSessions(): Promise<number> {
    const before = this.#ago(DAY)
    return this.#platform.database.db.$executeRaw`
      DELETE FROM sessions WHERE id IN (
        SELECT id FROM sessions WHERE expires_at < ${before}::timestamptz AND ended_at IS NOT NULL
        LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED)`
  }

  /** An hour late, for nodes whose clocks differ. */
  #deleteTickets(): Promise<number> {
    const before = this.#ago(HOUR)
    return this.#platform.database.db.$executeRaw`
      DELETE FROM used_tickets WHERE jti IN (
        SELECT jti FROM used_tickets WHERE expires_at < ${before}::timestamptz
        LIMIT ${BATCH}::int FOR UPDATE SKIP LOCKED)`
  }

  #ago(ms: number): Date {
    return new Date(this.#now() - ms)
  }
}
