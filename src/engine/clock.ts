import { Histogram } from '../histogram.ts'

/** A live match, as the clock drives it. */
export interface Ticking {
  /** Does one step. Must not throw. */
  advance(): void
}

/** The most ticks that are done at once after a stall. The others are skipped and counted. */
const MAX_CATCH_UP = 5
/** The smallest distance between two phases of a tick rate, ms: timers have a resolution of 1 ms. */
const PHASE_MS = 2
const LATENESS_MS = [
  ...[0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5],
  ...[6, 8, 10, 12.5, 16, 20, 25, 35, 50, 100, 250, 1_000],
]
/** One match in so many has its lateness measured, as reading the time costs as much as a step. */
const SAMPLE_EVERY = 16

/** Matches that tick together. */
interface Phase {
  readonly periodMs: number
  readonly members: Set<Ticking>
  dueAt: number
}

/** One clock for all matches. It spreads those of a tick rate over the period, and sockets are served in between. */
export class Clock {
  readonly #phases = new Map<number, Phase[]>()
  readonly #phaseOf = new Map<Ticking, Phase>()
  /** How late ticks began, ms. */
  readonly lateness = new Histogram(LATENESS_MS)
  #timer: NodeJS.Timeout | undefined
  #wakesAt = Number.POSITIVE_INFINITY
  /** Ticks given to matches since the start. */
  ticks = 0
  /** Ticks that were skipped, because the process had stalled for longer than it catches up. */
  skippedTicks = 0

  /** Ticks `member` `tickRate` times a second from now on. */
  add(member: Ticking, tickRate: number): void {
    const phases = this.#phases.get(tickRate) ?? this.#makePhases(tickRate)
    const phase = phases.reduce((least, one) => (one.members.size < least.members.size ? one : least))
    // An empty phase keeps its time.
    if (phase.members.size === 0) {
      const missed = Math.floor((performance.now() - phase.dueAt) / phase.periodMs) + 1
      phase.dueAt += Math.max(0, missed) * phase.periodMs
    }
    phase.members.add(member)
    this.#phaseOf.set(member, phase)
    this.#wake(phase.dueAt)
  }

  /** Does nothing for a member that does not tick. May be called from within a tick. */
  delete(member: Ticking): void {
    this.#phaseOf.get(member)?.members.delete(member)
    this.#phaseOf.delete(member)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#phases.clear()
    this.#phaseOf.clear()
  }

  #makePhases(tickRate: number): Phase[] {
    const periodMs = 1000 / tickRate
    const count = Math.max(1, Math.floor(periodMs / PHASE_MS))
    const start = performance.now()
    const phases = Array.from({ length: count }, (_, index) => ({
      periodMs,
      members: new Set<Ticking>(),
      dueAt: start + (index * periodMs) / count,
    }))
    this.#phases.set(tickRate, phases)
    return phases
  }

  #wake(dueAt: number): void {
    if (dueAt >= this.#wakesAt) return
    clearTimeout(this.#timer)
    this.#wakesAt = dueAt
    this.#timer = setTimeout(() => this.#run(), Math.max(0, dueAt - performance.now()))
  }

  #run(): void {
    this.#wakesAt = Number.POSITIVE_INFINITY
    let nextAt = Number.POSITIVE_INFINITY
    for (const phases of this.#phases.values()) {
      for (const phase of phases) {
        if (phase.members.size === 0) continue
        if (phase.dueAt <= performance.now()) this.#pass(phase)
        nextAt = Math.min(nextAt, phase.dueAt)
      }
    }
    if (nextAt < Number.POSITIVE_INFINITY) this.#wake(nextAt)
  }

  /** Gives one phase the ticks that are due. */
  #pass(phase: Phase): void {
    const behind = Math.floor((performance.now() - phase.dueAt) / phase.periodMs) + 1
    const ticks = Math.min(behind, MAX_CATCH_UP)
    this.skippedTicks += (behind - ticks) * phase.members.size
    phase.dueAt += (behind - ticks) * phase.periodMs
    for (let i = 0; i < ticks; i++) {
      let sample = 0
      for (const member of phase.members) {
        if (sample++ % SAMPLE_EVERY === 0) this.lateness.add(performance.now() - phase.dueAt)
        member.advance()
        this.ticks++
      }
      phase.dueAt += phase.periodMs
    }
  }
}
