import type { RateLimit } from './definition.ts'

/** A token bucket: `perSecond` on average, `burst` at once. */
export class TokenBucket {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor(perSecond: number, burst: number, now: number) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#at = now
  }

  /** Takes one token; 0 if there was one, else the milliseconds until there will be. */
  take(now: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs)
    this.#at = now
    if (this.#tokens >= 1) {
      this.#tokens -= 1
      return 0
    }
    return (1 - this.#tokens) / this.#perMs
  }
}

/** Keys that one limiter remembers. Over it the oldest are forgotten, which can only let more through. */
const MAX_KEYS = 100_000

/**
 * The limits that definitions declare, kept per key (a definition and who calls it).
 *
 * One number a key, by the generic cell rate algorithm (ITU-T I.371): the time at which the calls let through so
 * far would be used up at the allowed rate.
 */
export class MethodLimiter {
  readonly #arrivals = new Map<string, number>()

  /** 0 if the call may go on, else the milliseconds to wait. */
  take(key: string, limit: RateLimit, now: number): number {
    const windowMs = limit.perSeconds * 1000
    const costMs = windowMs / limit.points
    const arrival = Math.max(now, this.#arrivals.get(key) ?? now)
    const waitMs = arrival + costMs - windowMs - now
    // A hair's breadth of tolerance: sums of fractions must not refuse the last allowed call.
    if (waitMs > 0.001) return waitMs
    this.#arrivals.delete(key)
    this.#arrivals.set(key, arrival + costMs)
    if (this.#arrivals.size > MAX_KEYS) this.#forgetOldest()
    return 0
  }

  /** Takes one call back that was let through and did not happen. */
  giveBack(key: string, limit: RateLimit): void {
    const arrival = this.#arrivals.get(key)
    if (arrival !== undefined) this.#arrivals.set(key, arrival - (limit.perSeconds * 1000) / limit.points)
  }

  /** Forgets keys whose calls are all used up. Called now and then. */
  sweep(now: number): void {
    for (const [key, arrival] of this.#arrivals) if (arrival <= now) this.#arrivals.delete(key)
  }

  #forgetOldest(): void {
    for (const key of this.#arrivals.keys()) {
      this.#arrivals.delete(key)
      return
    }
  }
}
