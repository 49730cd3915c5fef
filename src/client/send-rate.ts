import type { Limits } from '../protocol/default-limits.ts'

/** Part of the server's rate that the client uses, because the two clocks and counts are never quite equal. */
const SHARE = 0.9

/** A token bucket a little smaller than the server's, so that a flood of calls waits here instead of failing there. */
export class SendRate {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor(limits: Pick<Limits, 'requestsPerSecond' | 'requestsBurst'>, now: number) {
    this.#perMs = (limits.requestsPerSecond * SHARE) / 1000
    this.#burst = Math.max(1, limits.requestsBurst * SHARE)
    this.#tokens = this.#burst
    this.#at = now
  }

  /** Takes a token and returns 0, or returns the milliseconds until there is one. */
  take(now: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs)
    this.#at = now
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) / this.#perMs)
    this.#tokens--
    return 0
  }
}
