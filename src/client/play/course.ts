import type { Snapshot } from './match-stream.ts'
import type { Decision } from './rollback.ts'
import type { Correction, PlayFigures } from './types.ts'

/** What a course tells the session that it runs in. */
export interface CourseListener {
  corrected(correction: Correction): void
  /** The state at `tick` is final. */
  settled(tick: number, hash: number, expected: number | null): void
}

export type CourseFigures = Pick<PlayFigures, 'rttMs' | 'jitterMs' | 'ticksAhead' | 'rewindTicks' | 'statesKept'>

/** A match as this client sees it. `now`: monotonic ms. After a RangeError for a decision the stream is reopened. */
export interface Course<State, Input> {
  /** The newest final state, and its tick. */
  readonly confirmed: { readonly tick: number; readonly state: State }
  /** Frames bring the last byte of a tick: it is the one nearest to this tick. */
  readonly nearTick: number
  /** Starts again from a snapshot. `moved`: it came over another connection. */
  load(snapshot: Snapshot<State, Input>, moved: boolean, now: number): void
  /** Takes a decision. Answers whether it is about an own input. */
  decide(decision: Decision<Input>, now: number): boolean
  keyframe(tick: number, hash: number, now: number): void
  /** The match ended after `tick` steps. */
  end(tick: number, now: number): void
  /** Predicts an own input. Answers the tick to send it for; null if it has no effect. */
  predict(seat: number, input: Input, now: number): number | null
  /** Whether the server has this input of the seat, or will have it soon. */
  isHeld(seat: number, input: Input): boolean
  draw(now: number): State
  figures(now: number): CourseFigures
}
