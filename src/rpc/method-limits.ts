import type { RateLimit } from './definition.ts'

/** Keys that one limiter remembers. Over it the oldest are forgotten, which can only let more through. */
const MAX_KEYS = 20_000

/**
 * The limit that one definition declares, kept for each of those who call it.
 *
 * One number a key, by the generic cell rate algorithm (ITU-T I.371): the time at which the calls let through so
 * far would be used up at the allowed rate.
 */
export class MethodLimiter {
  readonly #costMs: number
  readonly #windowMs: number
  readonly #arrivals = new Map<string, { at: number }>()

  constructor({ points, perSeconds }: RateLimit) {
    this.#windowMs = perSeconds * 1000
    this.#costMs = this.#windowMs / points
  }

  /** Counts a call; 0 if it may go on, else the milliseconds to wait. `share` divides what a call costs this key. */
  take(key: string, now: number, share = 1): number {
    const costMs = this.#costMs / share
    const known = this.#arrivals.get(key)
    const arrival = known === undefined ? now : Math.max(now, known.at)
    const waitMs = arrival + costMs - this.#windowMs - now
    // A hair's breadth of tolerance: sums of fractions must not refuse the last allowed call.
    if (waitMs > 0.001) return waitMs
    if (known) known.at = arrival + costMs
    else this.#add(key, arrival + costMs)
    return 0
  }

  /** Takes one call back that was let through and did not happen. */
  giveBack(key: string, share = 1): void {
    const known = this.#arrivals.get(key)
    if (known) known.at -= this.#costMs / share
  }

  /** Forgets keys whose calls are all used up. Called now and then. */
  sweep(now: number): void {
    for (const [key, { at }] of this.#arrivals) if (at <= now) this.#arrivals.delete(key)
  }

  #add(key: string, at: number): void {
    this.#arrivals.set(key, { at })
    if (this.#arrivals.size <= MAX_KEYS) return
    const [oldest = key] = this.#arrivals.keys()
    this.#arrivals.delete(oldest)
  }
}
