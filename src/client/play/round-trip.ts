const MAX_MS = 2_000
/** What one answer adds at most: little for a single late one, which may be a stall, more when the next is late too. */
const FIRST_GROWTH_MS = 5
const GROWTH = 0.25
const GROWTH_MS = 20
/** What each answer in time takes off, more and more as they go on: that is how a network that got faster is found out. */
const DECAY = 0.002
const MAX_DECAY = 0.05

/**
 * How long an input is under way to the server and its answer back, and how far ahead of the server's frames to play
 * for it to come in time.
 *
 * Pings measure the round trip, but rarely. Every answer to an input tells more. One that came late says by how much,
 * and the lead grows; those in time say that it is enough, and it gives way a little until the next one comes late. The
 * server rewinds for what is a little late, so that it finds its way between the two without anybody noticing.
 */
export class RoundTrip {
  #ms = 0
  #leadMs = 0
  #inTime = 0
  #late = 0

  /** Smoothed round trip; 0 while nothing is known. */
  get ms(): number {
    return this.#ms
  }

  get leadMs(): number {
    return this.#leadMs
  }

  /** A round trip as a ping measured it. */
  measured(ms: number): void {
    this.#follow(ms)
    this.#leadMs = this.#leadMs === 0 ? this.#ms : this.#leadMs + (Math.min(MAX_MS, ms) - this.#leadMs) / 4
  }

  /** An input was answered after `tookMs`, having come `lateMs` too late, which is more than jitter explains. */
  late(lateMs: number, tookMs: number): void {
    this.#inTime = 0
    this.#late++
    const most = this.#late === 1 ? FIRST_GROWTH_MS : this.#leadMs * GROWTH + GROWTH_MS
    this.#leadMs = Math.min(MAX_MS, this.#leadMs + Math.min(lateMs, most))
    this.#follow(tookMs)
  }

  /** An input was answered after `tookMs`, part of which it waited for its tick. */
  inTime(tookMs: number): void {
    this.#late = 0
    this.#inTime++
    this.#leadMs = Math.min(tookMs, this.#leadMs * (1 - Math.min(MAX_DECAY, DECAY * this.#inTime)))
    this.#ms = Math.min(this.#ms, tookMs)
  }

  #follow(ms: number): void {
    if (this.#ms === 0) this.#ms = Math.min(MAX_MS, ms)
    else this.#ms += (Math.min(MAX_MS, ms) - this.#ms) / 4
  }
}
