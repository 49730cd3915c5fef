const MAX_MS = 2_000
/** So many answers in a row that came late are the network, fewer may be a stall. */
const SURE = 3
/** What a late answer adds to the lead while that is not sure. */
const GROWTH_MS = 5
/** What the lead loses a second, for each second without a late answer, and the most of it. */
const DECAY_MS = 4
const MAX_DECAY_MS = 100
/** Between two answers no more time than this counts. */
const MAX_PAUSE_MS = 1_000

/**
 * How long an input is under way to the server and its answer back, and how far ahead of the server's frames to play
 * for it to come in time.
 *
 * Pings measure the round trip, but rarely. Every answer to an input tells more. One that came late was answered at
 * once, so it took a round trip, which is the lead that it would have needed; when several in a row say so the shortest
 * of them counts, as a stall makes the first of those that it held up late by most. One in time says only that the lead
 * is enough: it gives way slowly until the next one comes late. The server rewinds for what is a little late, so that
 * the lead finds its way between the two without anybody noticing. Times are monotonic, ms.
 */
export class RoundTrip {
  #ms = 0
  #leadMs = 0
  /** The last answers, if they were late. */
  #late: number[] = []
  #lateAt = Number.POSITIVE_INFINITY
  #answeredAt = 0

  /** Smoothed round trip; 0 while nothing is known. */
  get ms(): number {
    return this.#ms
  }

  get leadMs(): number {
    return this.#leadMs
  }

  /** A round trip as a ping measured it. */
  measured(tookMs: number): void {
    const ms = Math.min(MAX_MS, tookMs)
    if (this.#ms === 0) this.#ms = this.#leadMs = ms
    else {
      this.#follow(ms)
      // Nothing makes a ping too short, but a stall makes it too long.
      this.#leadMs += (ms - this.#leadMs) / (ms < this.#leadMs ? 2 : 4)
    }
  }

  /** An input that came too late was answered at `now`, after `tookMs`. */
  late(tookMs: number, now: number): void {
    const ms = Math.min(MAX_MS, tookMs)
    this.#answeredAt = this.#lateAt = now
    this.#late = [...this.#late, ms].slice(-SURE)
    if (this.#late.length === SURE) this.#ms = this.#leadMs = Math.min(...this.#late)
    else {
      this.#follow(ms)
      this.#leadMs = Math.max(this.#leadMs, Math.min(ms, this.#leadMs + GROWTH_MS))
    }
  }

  /** An input that came in time was answered at `now`, after `tookMs`, part of which it waited for its tick. */
  inTime(tookMs: number, now: number): void {
    const seconds = Math.min(MAX_PAUSE_MS, now - this.#answeredAt) / 1_000
    const calmSeconds = Math.max(0, now - this.#lateAt) / 1_000
    this.#answeredAt = now
    this.#lateAt = Math.min(this.#lateAt, now)
    this.#late = []
    const decayMs = seconds * Math.min(MAX_DECAY_MS, DECAY_MS * calmSeconds)
    this.#leadMs = Math.min(tookMs, Math.max(0, this.#leadMs - decayMs))
    this.#ms = Math.min(this.#ms, tookMs)
  }

  #follow(ms: number): void {
    this.#ms += (ms - this.#ms) / (this.#ms === 0 ? 1 : 4)
  }
}
