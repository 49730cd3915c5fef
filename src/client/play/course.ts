import type { Snapshot } from './match-stream.ts'
import type { Decision } from './rollback.ts'
import type { Correction } from './types.ts'

/** What a course tells the session that it runs in. */
export interface CourseListener {
  corrected(correction: Correction): void
  /** The state at `tick` is final. */
  settled(tick: number, hash: number, expected: number | null): void
}

/** What a course does that a debug overlay shows. */
export interface CourseFigures {
  readonly rttMs: number
  readonly jitterMs: number
  readonly ticksAhead: number
  readonly statesKept: number
}

/**
 * The course of one match as this client sees it: the server's word, what is predicted on top of it, and what to draw.
 * `now` is a monotonic time in ms. What the server says out of turn throws a RangeError: the match must be begun anew.
 */
export interface Course<State, Input> {
  /** The newest final state, and its tick. */
  readonly confirmed: { readonly tick: number; readonly state: State }
  /** The tick that frames with their last byte only are near to. */
  readonly nearTick: number
  /** Begins anew from the server's word. `moved`: over another connection than before. */
  load(snapshot: Snapshot<State, Input>, moved: boolean, now: number): void
  /** Answers whether that was an own input. */
  decide(decision: Decision<Input>, now: number): boolean
  keyframe(tick: number, hash: number, now: number): void
  /** There are no more than `tick` steps. */
  end(tick: number, now: number): void
  /** Takes an own input into what is predicted. Answers the tick to send it for; null if it has no effect. */
  predict(seat: number, input: Input, now: number): number | null
  /** Whether the server holds what the player wants of this seat, or is about to. */
  isHeld(seat: number, input: Input): boolean
  /** What to draw. */
  draw(now: number): State
  figures(now: number): CourseFigures
}

/** Begins the course of a match with its first snapshot. */
export type CreateCourse<State, Input> = (
  snapshot: Snapshot<State, Input>,
  isPlayer: boolean,
  listener: CourseListener,
  now: number,
) => Course<State, Input>
