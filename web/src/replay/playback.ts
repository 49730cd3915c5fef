import { Store } from '../store.ts'
import type { Point } from './recording.ts'

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8] as const
export type Speed = (typeof SPEEDS)[number]

/** Steps a second of a turn-based game: a move, and time to look at it. */
const TURNS_PER_SECOND = 1
/** After a longer pause, as in a hidden tab, the playback goes on where it was. */
const MAX_FRAME_MS = 250

/** What the controls show of a playback. */
export interface PlaybackState {
  readonly isPlaying: boolean
  readonly speed: Speed
  /** The last tick that is complete. */
  readonly tick: number
}

/** The place in a match that is shown, and how it moves on. */
export class Playback extends Store<PlaybackState> {
  readonly ticks: number
  /** Ticks a second at speed 1. */
  readonly pace: number
  readonly isTurnBased: boolean
  #position = 0
  #playedAt = 0

  /** `tickRate` is the game's. */
  constructor(ticks: number, tickRate: number) {
    super({ isPlaying: false, speed: 1, tick: 0 })
    this.ticks = ticks
    this.isTurnBased = tickRate === 0
    this.pace = tickRate || TURNS_PER_SECOND
  }

  /** In ticks, and fractions of them. */
  get position(): number {
    return this.#position
  }

  /** Plays or pauses. At the end it starts over. */
  toggle(now: number): void {
    const isPlaying = !this.current.isPlaying
    if (isPlaying && this.#position >= this.ticks) this.#position = 0
    this.#playedAt = now
    this.#change({ isPlaying })
  }

  setSpeed(speed: Speed): void {
    this.#change({ speed })
  }

  /** Goes to a tick, or to the nearest one that there is. */
  seek(position: number): void {
    this.#position = Math.min(this.ticks, Math.max(0, position))
    this.#change({ isPlaying: this.current.isPlaying && this.#position < this.ticks })
  }

  /** Moves on to `now` (`performance.now()`), if it is playing. */
  advance(now: number): void {
    if (!this.current.isPlaying) return
    const passedMs = Math.min(MAX_FRAME_MS, Math.max(0, now - this.#playedAt))
    this.#playedAt = now
    this.seek(this.#position + (passedMs / 1000) * this.pace * this.current.speed)
  }

  #change(change: Partial<PlaybackState>): void {
    this.set({ ...this.current, ...change, tick: Math.floor(this.#position) })
  }
}

/** A jump to a point leads to this long before it. */
const LEAD_SECONDS = 2
/** Going back within this time after a place leads to the one before it. */
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
