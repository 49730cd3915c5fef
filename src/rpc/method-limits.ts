import type { RateLimit } from './definition.ts'

/** Keys of one limiter. Over this the oldest key is forgotten, which lets more calls through, never less. */
const MAX_KEYS = 20_000

/**
 * The `limit` of one definition, counted by key: a user or an address. It is the generic cell rate algorithm (ITU-T I.371),
 * one number a key: the time at which the calls so far would be used up at the allowed rate.
 */
export class MethodLimiter {
  readonly #costMs: number
  readonly #windowMs: number
  readonly #arrivals = new Map<string, { at: number }>()
  /** Time used up by key, ms, since other nodes were told. At most `MAX_KEYS`. */
  readonly used = new Map<string, number>()

  constructor({ points, perSeconds }: RateLimit) {
    this.#windowMs = perSeconds * 1000
    this.#costMs = this.#windowMs / points
  }

  /** Counts a call and returns 0, or returns the ms to wait. `share` divides the cost of a call for this key. */
  take(key: string, now: number, share = 1): number {
    const costMs = this.#costMs / share
    const known = this.#arrivals.get(key)
    const arrival = known === undefined ? now : Math.max(now, known.at)
    const waitMs = this.#waitMs(arrival, costMs, now)
    if (waitMs > 0) return waitMs
    if (known) known.at = arrival + costMs
    else this.#add(key, arrival + costMs)
    this.#use(key, costMs)
    return 0
  }

  /** What `take` would return, without counting a call. */
  waitMs(key: string, now: number, share = 1): number {
    return this.#waitMs(Math.max(now, this.#arrivals.get(key)?.at ?? now), this.#costMs / share, now)
  }

  /** Subtracts what another node has let through. */
  usedElsewhere(key: string, ms: number, now: number): void {
    const known = this.#arrivals.get(key)
    const at = Math.min(now + this.#windowMs, Math.max(now, known?.at ?? now) + ms)
    if (known) known.at = at
    else this.#add(key, at)
  }

  /** Undoes a `take` that returned 0, for a call that was not executed. */
  giveBack(key: string, share = 1): void {
    const known = this.#arrivals.get(key)
    if (known) known.at -= this.#costMs / share
    this.#use(key, -this.#costMs / share)
  }

  /** Forgets keys whose calls are used up. Called once a minute. */
  sweep(now: number): void {
    for (const [key, { at }] of this.#arrivals) if (at <= now) this.#arrivals.delete(key)
  }

  #waitMs(arrival: number, costMs: number, now: number): number {
    const waitMs = arrival + costMs - this.#windowMs - now
    // Rounding errors must not refuse the last allowed call.
    return waitMs > 0.001 ? waitMs : 0
  }

  #use(key: string, ms: number): void {
    const used = this.used.get(key)
    if (used !== undefined || this.used.size < MAX_KEYS) this.used.set(key, Math.max(0, (used ?? 0) + ms))
  }

  #add(key: string, at: number): void {
    this.#arrivals.set(key, { at })
    if (this.#arrivals.size <= MAX_KEYS) return
    const [oldest = key] = this.#arrivals.keys()
    this.#arrivals.delete(oldest)
  }
}
