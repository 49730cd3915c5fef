/** The estimate of the server's ticks is of the last seconds, so that it follows changes of the network. */
const ESTIMATE_SECONDS = 6
/** If all frames are later than this for so long, the server has paused, and the estimate starts again. */
const PAUSED_MS = 200
const PAUSED_FOR_MS = 1_000
/** The local pace differs from the game's by this share at most. */
const MAX_SLEW = 0.1
/** A difference disappears in about this time, as far as the pace allows. */
const SETTLE_MS = 400
/** A larger difference is jumped, as after a page was frozen. */
const JUMP_MS = 500

/**
 * When each tick of the server arrives here at the earliest. A frame of tick t that arrives at time a says that tick 0
 * would have arrived at a - t * period or before, as a network only delays. The smallest such value of the last seconds
 * counts, so jitter and stalls of single frames do not move it.
 */
export class ServerTicks {
  /** Mean lateness of frames. */
  jitterMs = 0
  readonly #periodMs: number
  /** When tick 0 would have arrived, by the frames of the last seconds. */
  #zeros = new RecentExtreme(ESTIMATE_SECONDS, Math.min)
  /** Since when every frame has been late, and when tick 0 would have arrived by the earliest of them. */
  #late: { readonly since: number; earliestMs: number } | null = null

  constructor(periodMs: number) {
    this.#periodMs = periodMs
  }

  /** A frame that was sent at `tick` arrived at `now`. `regular`: only the network delayed it. */
  observe(tick: number, now: number, regular = false): void {
    const zeroMs = now - tick * this.#periodMs
    this.#detectPause(zeroMs, now)
    this.#zeros.add(zeroMs, now)
    const latenessMs = this.lateness(tick, now)
    // A later frame was stalled, which is no jitter.
    if (regular && latenessMs <= PAUSED_MS) this.jitterMs += (latenessMs - this.jitterMs) / 8
  }

  /** The tick whose earliest frames arrive now; a fraction. */
  at(now: number): number {
    return (now - this.#zeros.value) / this.#periodMs
  }

  /** How late a frame of `tick` is that arrives now, ms. */
  lateness(tick: number, now: number): number {
    return (this.at(now) - tick) * this.#periodMs
  }

  /** Starts the estimate again when all frames come later than before. */
  #detectPause(zeroMs: number, now: number): void {
    if (zeroMs - this.#zeros.value <= PAUSED_MS) this.#late = null
    else if (!this.#late) this.#late = { since: now, earliestMs: zeroMs }
    else {
      this.#late.earliestMs = Math.min(this.#late.earliestMs, zeroMs)
      if (now - this.#late.since < PAUSED_FOR_MS) return
      this.#zeros = new RecentExtreme(ESTIMATE_SECONDS, Math.min)
      this.#zeros.add(this.#late.earliestMs, now)
      this.#late = null
    }
  }
}

/** The local game time in ticks. It follows a target by going a little faster or slower. */
export class LocalTicks {
  readonly #periodMs: number
  #position = Number.NEGATIVE_INFINITY
  #at = 0

  constructor(periodMs: number) {
    this.#periodMs = periodMs
  }

  /** The tick at `now`, while `target` is where it should be. `now` must not go back. */
  at(now: number, target: number): number {
    const passedMs = Math.max(0, now - this.#at)
    const natural = passedMs / this.#periodMs
    const error = target - (this.#position + natural)
    const most = natural * MAX_SLEW
    const slew = Math.max(-most, Math.min(most, error * Math.min(1, passedMs / SETTLE_MS)))
    if (Math.abs(error) * this.#periodMs > JUMP_MS) this.#position = target
    else this.#position += natural + slew
    this.#at = now
    return this.#position
  }
}

/** The least or the largest of the values of the last seconds. */
export class RecentExtreme {
  readonly #seconds: number
  readonly #pick: typeof Math.min
  readonly #buckets: { readonly second: number; extreme: number }[] = []

  /** `pick` is `Math.min` or `Math.max`. */
  constructor(seconds: number, pick: typeof Math.min) {
    this.#seconds = seconds
    this.#pick = pick
  }

  /** When there were none: infinity for the least one, -infinity for the largest. */
  get value(): number {
    return this.#pick(...this.#buckets.map(({ extreme }) => extreme))
  }

  add(value: number, now: number): void {
    const second = Math.floor(now / 1_000)
    const newest = this.#buckets.at(-1)
    if (newest?.second === second) newest.extreme = this.#pick(newest.extreme, value)
    else this.#buckets.push({ second, extreme: value })
    while (this.#buckets[0] && this.#buckets[0].second <= second - this.#seconds) this.#buckets.shift()
  }
}

const MAX_MS = 2_000
/** So many late answers in a row are the network; fewer may be a stall. */
const SURE = 3
/** A late answer adds this to the lead before that is sure. */
const GROWTH_MS = 5
/** How fast the lead shrinks, ms a second, for each second without a late answer, and at most. */
const DECAY_MS = 4
const MAX_DECAY_MS = 100
/** The lead shrinks for this long at most between two answers. */
const MAX_PAUSE_MS = 1_000

/**
 * The round trip of inputs, and the lead: how far ahead of the server to play, so that inputs come in time. Times are
 * monotonic, ms. Pings are rare; answers to inputs tell more. A late input is answered at once, so after a round trip,
 * which is the lead that it needed. Of several late ones in a row the shortest counts, as a stall delays the first ones
 * more. An input in time shows only that the lead is enough: it shrinks slowly until the next one is late, which nobody
 * notices, as the server goes back for an input that is a little late.
 */
export class RoundTrip {
  /** Smoothed round trip; 0 while nothing is known. */
  ms = 0
  leadMs = 0
  #pingMs = 0
  /** The last answers, if they were late. */
  #late: number[] = []
  #lateAt = Number.POSITIVE_INFINITY
  #answeredAt = 0

  /** The last ping took so long; 0 while there was none. The same value again is no new measurement. */
  measured(tookMs: number): void {
    if (tookMs === this.#pingMs) return
    this.#pingMs = tookMs
    const ms = Math.min(MAX_MS, tookMs)
    if (this.ms === 0) this.ms = this.leadMs = ms
    else {
      this.#follow(ms)
      // A stall makes a ping too long, and nothing makes it too short.
      this.leadMs += (ms - this.leadMs) / (ms < this.leadMs ? 2 : 4)
    }
  }

  /** A late input was answered at `now`, after `tookMs`. */
  late(tookMs: number, now: number): void {
    const ms = Math.min(MAX_MS, tookMs)
    this.#answeredAt = this.#lateAt = now
    this.#late = [...this.#late, ms].slice(-SURE)
    if (this.#late.length === SURE) this.ms = this.leadMs = Math.min(...this.#late)
    else {
      this.#follow(ms)
      this.leadMs = Math.max(this.leadMs, Math.min(ms, this.leadMs + GROWTH_MS))
    }
  }

  /** An input in time was answered at `now`, after `tookMs`: in part of that it waited for its tick. */
  inTime(tookMs: number, now: number): void {
    const seconds = Math.min(MAX_PAUSE_MS, now - this.#answeredAt) / 1_000
    const calmSeconds = Math.max(0, now - this.#lateAt) / 1_000
    this.#answeredAt = now
    this.#lateAt = Math.min(this.#lateAt, now)
    this.#late = []
    const decayMs = seconds * Math.min(MAX_DECAY_MS, DECAY_MS * calmSeconds)
    this.leadMs = Math.min(tookMs, Math.max(0, this.leadMs - decayMs))
    this.ms = Math.min(this.ms, tookMs)
  }

  #follow(ms: number): void {
    this.ms += (ms - this.ms) / (this.ms === 0 ? 1 : 4)
  }
}
