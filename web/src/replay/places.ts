import type { Playback } from './playback.ts'
import type { Point } from './recording.ts'

/** How much is seen of what led to a point. */
const LEAD_SECONDS = 2
/** Who goes back soon after a place wants the one before it. */
const SOON_SECONDS = 1

/** The tick to go forward to: the next move, or shortly before the next point; the end after the last one. */
export function nextPlace({ isTurnBased, pace, position, ticks }: Playback, points: readonly Point[]): number {
  if (isTurnBased) return Math.floor(position) + 1
  return places(points, pace).find((place) => place > position) ?? ticks
}

/** The tick to go back to: the move before, or shortly before the point before. */
export function previousPlace({ isTurnBased, pace, position }: Playback, points: readonly Point[]): number {
  if (isTurnBased) return Math.ceil(position) - 1
  return places(points, pace).findLast((place) => place < position - SOON_SECONDS * pace) ?? 0
}

function places(points: readonly Point[], pace: number): number[] {
  return points.map(({ tick }) => Math.max(0, tick - LEAD_SECONDS * pace))
}
