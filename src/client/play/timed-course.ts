import type { Course, CourseFigures, CourseListener } from './course.ts'
import { Drawing } from './drawing.ts'
import type { Snapshot } from './match-stream.ts'
import { type Decision, Rollback, type Rules } from './rollback.ts'
import { LocalTicks, RecentExtreme, RoundTrip, ServerTicks } from './timing.ts'
import type { PlayClient, PlayOptions } from './types.ts'

interface TimedCourseOptions<State> extends PlayOptions<State> {
  /** Whether somebody here plays; otherwise nothing is predicted. */
  readonly isPlayer: boolean
  readonly clock: PlayClient['clock']
}

/** How far behind spectators watch at least, by default. */
const SPECTATOR_DELAY_MS = 100
/** How far the prediction may be after the last final state. */
const MAX_AHEAD_MS = 3_000
/** How far ahead of the server an input may be: a byte tells 127 ticks apart. */
const MAX_LEAD_TICKS = 110
/** A correction does not fade if nothing was drawn for this long. */
const UNSEEN_MS = 250
/** An own input is dropped when it has no answer after this and three round trips. */
const ANSWER_MS = 1_000
/** The most keyframes that a spectator has not reached yet. */
const MAX_FINALS = 8
const MAX_DELAY_MS = 600
/** A spectator is behind by the largest lateness of so many seconds. */
const LATENESS_SECONDS = 20

/** A game with a clock: own inputs count at once, others go on as before, and rollback corrects what was wrong. */
export class TimedCourse<State, Input> implements Course<State, Input> {
  readonly #game: Rules<State, Input>
  readonly #options: TimedCourseOptions<State>
  readonly #listener: CourseListener
  readonly #drawing: Drawing<State, Input>
  readonly #periodMs: number
  readonly #local: LocalTicks
  readonly #roundTrip = new RoundTrip()
  /** Keyframes that a spectator has not reached yet. */
  readonly #finals: { readonly tick: number; readonly hash: number }[] = []
  readonly #latenessMs = new RecentExtreme(LATENESS_SECONDS, Math.max)
  #server: ServerTicks
  #states: Rollback<State, Input>
  #rewindTicks = 0
  #isLive = false
  #position = 0
  #drawnAt = Number.NEGATIVE_INFINITY
  #endTick = Number.POSITIVE_INFINITY

  constructor(
    game: Rules<State, Input>,
    snapshot: Snapshot<State, Input>,
    options: TimedCourseOptions<State>,
    listener: CourseListener,
    now: number,
  ) {
    this.#game = game
    this.#options = options
    this.#listener = listener
    this.#periodMs = 1000 / game.tickRate
    this.#drawing = new Drawing(game, options)
    this.#server = new ServerTicks(this.#periodMs)
    this.#local = new LocalTicks(this.#periodMs)
    this.#states = this.#statesOf(snapshot)
    this.load(snapshot, true, now)
  }

  get confirmed(): { readonly tick: number; readonly state: State } {
    return { tick: this.#states.base, state: this.#states.final }
  }

  get nearTick(): number {
    return (this.#finals.at(-1)?.tick ?? this.#states.base) + 127
  }

  load(snapshot: Snapshot<State, Input>, moved: boolean, now: number): void {
    this.#hold(now)
    this.#states = this.#statesOf(snapshot)
    this.#finals.length = 0
    this.#rewindTicks = snapshot.rewindTicks
    this.#isLive = snapshot.status === 'live'
    this.#endTick = Number.POSITIVE_INFINITY
    if (moved) this.#server = new ServerTicks(this.#periodMs)
    if (this.#isLive) this.#server.observe(snapshot.now, now)
    this.#advance(now)
  }

  decide(decision: Decision<Input>, now: number): boolean {
    const { tick, moved } = decision
    this.#isLive = true
    this.#server.observe(tick, now)
    this.#hold(now)
    const answered = this.#states.decide(decision)
    const latenessMs = this.#server.lateness(tick, now)
    if (answered) {
      const tookMs = now - answered.sentAt
      // A moved input was late. Otherwise the server may have gone back for it: then the answer comes late.
      const isLate = moved > 0 || latenessMs > this.#periodMs + 2 * this.#server.jitterMs
      if (isLate) this.#roundTrip.late(tookMs, now)
      else this.#roundTrip.inTime(tookMs, now)
    }
    this.#latenessMs.add(latenessMs, now)
    return answered !== null
  }

  keyframe(tick: number, hash: number, now: number): void {
    this.#isLive = true
    // The first keyframe is sent when the match begins, the others when their tick is final.
    this.#server.observe(tick === 0 ? 0 : tick + this.#rewindTicks, now, true)
    this.#finals.push({ tick, hash })
    this.#advance(now)
    while (this.#finals.length > MAX_FINALS) this.#settleNext()
  }

  end(tick: number, now: number): void {
    this.#hold(now)
    while (this.#finals.length > 0) this.#settleNext()
    this.#endTick = tick
    this.#listener.settled(tick, this.#states.settle(tick), null)
    this.#correct(now)
    this.#position = tick
  }

  predict(seat: number, input: Input, now: number): number | null {
    if (!this.#isLive) return null
    this.#advance(now)
    const tick = this.#states.predict(Math.max(Math.floor(this.#position), this.#states.base), seat, input, now)
    this.#states.redo()
    this.#drawing.redoLast(this.#states, tick)
    return tick
  }

  isHeld(seat: number, input: Input): boolean {
    return this.#states.isHeld(seat, input)
  }

  draw(now: number): State {
    this.#advance(now)
    this.#drawnAt = now
    return this.#drawing.draw(this.#states, this.#position, now)
  }

  figures(now: number): CourseFigures {
    this.#advance(now)
    return {
      rttMs: this.#roundTrip.ms,
      jitterMs: this.#server.jitterMs,
      ticksAhead: this.#isLive ? this.#position - this.#server.at(now) : 0,
      rewindTicks: this.#rewindTicks,
      statesKept: this.#states.size,
    }
  }

  /** Brings the states to where the game is at `now`. */
  #advance(now: number): void {
    this.#roundTrip.measured(this.#options.clock.lastRttMs)
    const sentBefore = now - ANSWER_MS - 3 * this.#roundTrip.ms
    const isUnanswered = this.#states.unansweredSince < sentBefore
    if (isUnanswered || this.#finals.length > 0) this.#hold(now)
    if (isUnanswered) this.#states.expire(sentBefore)
    if (this.#isLive && this.#endTick === Number.POSITIVE_INFINITY) {
      this.#position = Math.max(this.#states.base, this.#local.at(now, this.#target(now)))
    } else this.#position = Math.min(Math.max(this.#position, this.#states.base), this.#endTick)
    const tick = Math.floor(this.#position)
    while (this.#finals[0] && this.#finals[0].tick <= tick) this.#settleNext()
    this.#correct(now)
  }

  /** Players are ahead, so that inputs reach the server in time. Spectators are behind, so that no frame is late. */
  #target(now: number): number {
    const arriving = this.#server.at(now)
    const { isPlayer, delayMs = SPECTATOR_DELAY_MS } = this.#options
    if (!isPlayer) {
      return arriving - Math.min(MAX_DELAY_MS, Math.max(delayMs, this.#latenessMs.value)) / this.#periodMs - 1
    }
    const leadMs = this.#roundTrip.leadMs + this.#server.jitterMs
    return arriving + Math.min(MAX_LEAD_TICKS, leadMs / this.#periodMs + 1)
  }

  #settleNext(): void {
    const next = this.#finals.shift()
    if (next) this.#listener.settled(next.tick, this.#states.settle(next.tick), next.hash)
  }

  /** Keeps what is shown, before the past or the position changes. */
  #hold(now: number): void {
    if (now - this.#drawnAt <= UNSEEN_MS) this.#drawing.hold(this.#states, this.#position, now)
  }

  /** Makes the states right up to the position, and tells what that changed. */
  #correct(now: number): void {
    const depth = this.#states.redo()
    if (this.#isLive) this.#states.advance(Math.min(Math.floor(this.#position) + 1, this.#endTick))
    const distance = this.#drawing.correct(this.#states, this.#position, now)
    if (depth > 0 || distance > 0) this.#listener.corrected({ depth, distance })
  }

  #statesOf(snapshot: Snapshot<State, Input>): Rollback<State, Input> {
    return new Rollback(this.#game, snapshot, Math.ceil(MAX_AHEAD_MS / this.#periodMs))
  }
}
