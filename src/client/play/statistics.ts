import type { CourseFigures } from './course.ts'
import type { Correction, PlayFigures } from './types.ts'

const WINDOW_MS = 5_000
const SAMPLES = 512
const MAX_EVENTS = 4_096

/** Counts what the netcode does. `now` is a monotonic time in ms. */
export class PlayStatistics {
  readonly #depths = new Samples()
  readonly #distances = new Samples()
  readonly #rollbackRate = new Rate()
  readonly #inRate = new Rate()
  readonly #outRate = new Rate()
  desyncs = 0

  corrected({ depth, distance }: Correction, now: number): void {
    if (depth > 0) {
      this.#depths.add(depth)
      this.#rollbackRate.add(1, now)
    }
    if (distance > 0) this.#distances.add(distance)
  }

  /** A binary frame of `length` bytes came in. */
  received(length: number, now: number): void {
    this.#inRate.add(framedBytes(length, false), now)
  }

  sent(length: number, now: number): void {
    this.#outRate.add(framedBytes(length, true), now)
  }

  figures(course: CourseFigures, now: number): PlayFigures {
    return {
      ...course,
      rollbacksPerSecond: this.#rollbackRate.perSecond(now),
      meanRollbackDepth: this.#depths.mean,
      p99RollbackDepth: this.#depths.p99,
      corrections: this.#distances.count,
      meanCorrection: this.#distances.mean,
      p99Correction: this.#distances.p99,
      desyncs: this.desyncs,
      bytesInPerSecond: this.#inRate.perSecond(now),
      bytesOutPerSecond: this.#outRate.perSecond(now),
    }
  }
}

/** The last values of something, with their mean and 99th percentile. */
class Samples {
  readonly #values: number[] = []
  /** How many there were in all. */
  count = 0

  get mean(): number {
    return this.#values.length === 0 ? 0 : sum(this.#values) / this.#values.length
  }

  get p99(): number {
    const sorted = this.#values.toSorted((a, b) => a - b)
    return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0
  }

  add(value: number): void {
    this.#values.push(value)
    if (this.#values.length > SAMPLES) this.#values.shift()
    this.count++
  }
}

/** Adds up what happens, a second. */
class Rate {
  readonly #events: { readonly at: number; readonly amount: number }[] = []
  #since: number | null = null

  add(amount: number, now: number): void {
    this.#since ??= now
    this.#events.push({ at: now, amount })
    if (this.#events.length > MAX_EVENTS) this.#events.shift()
  }

  perSecond(now: number): number {
    if (this.#since === null) return 0
    while (this.#events[0] && this.#events[0].at < now - WINDOW_MS) this.#events.shift()
    const overMs = Math.min(WINDOW_MS, Math.max(1_000, now - this.#since))
    return (sum(this.#events.map(({ amount }) => amount)) * 1_000) / overMs
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

/** What a WebSocket adds to a frame of `length` bytes (RFC 6455 section 5.2). `masked` is from a client. */
function framedBytes(length: number, masked: boolean): number {
  return length + (length < 126 ? 2 : length < 65_536 ? 4 : 10) + (masked ? 4 : 0)
}
