import type { Log } from '../logger.ts'

export type OutageLog = Pick<Log, 'error' | 'info'>

/** A success ends an outage only after so long without a failure, so that an outage that comes and goes is logged once. */
const OVER_AFTER_MS = 1_000

/** Logs that something outside of this process does not answer: once when that begins, and once when it is over. */
export class Outage {
  readonly #log: OutageLog
  readonly #what: string
  #failures = 0
  #startedAt = 0
  #failedAt = 0

  /** @param what what cannot be done: "sessions cannot be looked up" */
  constructor(what: string, log: OutageLog) {
    this.#what = what
    this.#log = log
  }

  failed(error: unknown): void {
    this.#failedAt = performance.now()
    if (this.#failures++ > 0) return
    this.#startedAt = this.#failedAt
    this.#log.error({ err: error }, this.#what)
  }

  succeeded(): void {
    if (this.#failures === 0) return
    const now = performance.now()
    if (now - this.#failedAt < OVER_AFTER_MS) return
    const details = { failures: this.#failures, ms: Math.round(now - this.#startedAt) }
    this.#failures = 0
    this.#log.info(details, `${this.#what}: this is over`)
  }
}
