const MAX_MS = 2_000
/** What a measured round trip adds at most, so that a single stall is not taken for the network. */
const MAX_GROWTH = 0.25
const MAX_GROWTH_MS = 20
/** What each answer in time takes off, more and more as they go on: that is how a network that got faster is found out. */
const DECAY = 0.002
const MAX_DECAY = 0.05

/**
 * How long an input is under way to the server and its answer back, to know how far ahead to play.
 *
 * An input that came late was answered on arrival, which is a measurement. One that came early waited for its tick, so
 * the round trip was at most that long: the estimate gives way a little, until the next one comes late.
 */
export class RoundTrip {
  #ms = 0
  #inTime = 0

  get ms(): number {
    return this.#ms
  }

  /** A measured round trip. */
  add(ms: number): void {
    this.#inTime = 0
    if (this.#ms === 0) this.#ms = Math.min(MAX_MS, ms)
    else if (ms < this.#ms) this.#ms += (ms - this.#ms) / 4
    else this.#ms = Math.min(MAX_MS, ms, this.#ms * (1 + MAX_GROWTH) + MAX_GROWTH_MS)
  }

  /** An exchange that took `ms` with an unknown wait in between. */
  atMost(ms: number): void {
    this.#inTime++
    this.#ms = Math.min(ms, this.#ms * (1 - Math.min(MAX_DECAY, DECAY * this.#inTime)))
  }
}
