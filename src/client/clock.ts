import type { ServerMessage } from '../protocol/envelope.ts'

/** One `rpc.ping`: when it was answered, how long it took, and how far the server's clock is ahead by it. */
interface Sample {
  readonly at: number
  readonly rttMs: number
  readonly offsetMs: number
}

const MAX_SAMPLES = 16
/** How far two clocks drift apart per ms at worst: 100 ppm is more than a quartz drifts. */
const DRIFT = 1e-4
/** The server's `ts` has whole milliseconds. */
const ROUNDING_MS = 0.5

/**
 * The server's clock, estimated from round trips: after one of r ms it is known to r/2 (NTP, RFC 5905 section 8). The
 * smallest bound counts; bounds grow with age. Round trip and jitter are smoothed as in RFC 6298.
 */
export class Clock {
  #samples: Sample[] = []
  #stale = false
  #rttMs = 0
  #jitterMs = 0

  /** Milliseconds since the epoch by the server's clock; by the local one until the first sample. */
  now(): number {
    return localNow() + this.offsetMs
  }

  /** The server's clock minus the local one. */
  get offsetMs(): number {
    return this.#best(localNow())?.offsetMs ?? 0
  }

  /** How wrong `now()` may be, either way; infinite until the first sample. */
  get uncertaintyMs(): number {
    const now = localNow()
    const best = this.#best(now)
    return best ? boundMs(best, now) : Infinity
  }

  /** The last round trip; 0 until the first sample. */
  get lastRttMs(): number {
    return this.#samples.at(-1)?.rttMs ?? 0
  }

  /** Smoothed round trip; 0 until the first sample. */
  get rttMs(): number {
    return this.#rttMs
  }

  /** Smoothed deviation of the round trip from its mean. */
  get jitterMs(): number {
    return this.#jitterMs
  }

  /** Takes an answer with the server's time `serverMs` to a ping sent at `sentAt`, by `localNow`. */
  add(sentAt: number, serverMs: number): void {
    const at = localNow()
    const rttMs = Math.max(0, at - sentAt)
    if (this.#stale || this.#samples.length === 0) {
      this.#stale = false
      this.#samples = []
      this.#rttMs = rttMs
      this.#jitterMs = rttMs / 2
    } else {
      this.#jitterMs += (Math.abs(this.#rttMs - rttMs) - this.#jitterMs) / 4
      this.#rttMs += (rttMs - this.#rttMs) / 8
    }
    this.#samples.push({ at, rttMs, offsetMs: serverMs + ROUNDING_MS - (sentAt + at) / 2 })
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift()
  }

  /** There is a new connection, perhaps to another node: the next sample replaces all others. */
  restart(): void {
    this.#stale = true
  }

  #best(now: number): Sample | undefined {
    let best: Sample | undefined
    for (const sample of this.#samples) if (!best || boundMs(sample, now) < boundMs(best, now)) best = sample
    return best
  }
}

function boundMs(sample: Sample, now: number): number {
  return sample.rttMs / 2 + ROUNDING_MS + (now - sample.at) * DRIFT
}

/** Milliseconds since the epoch by a clock that never jumps while the page lives. */
export function localNow(): number {
  return performance.timeOrigin + performance.now()
}

const DEFAULT_INTERVAL_MS = 15_000
/** Pings right after a connection, and the time between them: the clock is good within a second. */
const FIRST_PINGS = 5
const FIRST_PING_MS = 200
/** Pings that may wait for their answer. */
const MAX_PINGS = 16

/** Keeps a clock set by pinging the server. */
export class ClockSync {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #send: () => string
  /** When each ping was sent, by its eid. */
  readonly #pings = new Map<string, number>()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `send` sends an `rpc.ping` and returns its eid. */
  constructor(clock: Clock, send: () => string, intervalMs = DEFAULT_INTERVAL_MS) {
    this.#clock = clock
    this.#send = send
    this.#intervalMs = intervalMs
  }

  /** A new connection. */
  start(): void {
    this.#clock.restart()
    this.#schedule(FIRST_PINGS)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#pings.clear()
  }

  ping(): void {
    const [oldest] = this.#pings.keys()
    if (this.#pings.size >= MAX_PINGS && oldest !== undefined) this.#pings.delete(oldest)
    this.#pings.set(this.#send(), localNow())
  }

  /** Takes the answer to a ping; false for any other message. */
  answer(message: ServerMessage): boolean {
    const sentAt = this.#pings.get(message.eid)
    if (sentAt === undefined) return false
    this.#pings.delete(message.eid)
    if (!('error' in message)) this.#clock.add(sentAt, message.ts)
    return true
  }

  #schedule(first: number): void {
    this.ping()
    const waitMs = first > 1 ? FIRST_PING_MS : this.#intervalMs
    this.#timer = setTimeout(() => this.#schedule(Math.max(0, first - 1)), waitMs)
  }
}
