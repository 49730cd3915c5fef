import { Listeners } from '../listeners.ts'
import type { Point } from './recording.ts'

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8] as const
export type Speed = (typeof SPEEDS)[number]

/** Steps a second of a game that has no clock of its own: a move, and time to look at it. */
const TURNS_PER_SECOND = 1
/** A page that was out of sight goes on where it was. */
const MAX_FRAME_MS = 250

/** What the controls show of a playback. */
export interface PlaybackState {
  readonly isPlaying: boolean
  readonly speed: Speed
  /** The last tick that is complete. */
  readonly tick: number
}

/** Where in a match somebody is looking, and how that goes on by itself. */
export class Playback {
  readonly ticks: number
  /** Ticks a second at speed 1. */
  readonly pace: number
  readonly isTurnBased: boolean
  readonly #changes = new Listeners()
  #position = 0
  #state: PlaybackState = { isPlaying: false, speed: 1, tick: 0 }
  #playedAt = 0

  /** `tickRate` is the game's. */
  constructor(ticks: number, tickRate: number) {
    this.ticks = ticks
    this.isTurnBased = tickRate === 0
    this.pace = tickRate || TURNS_PER_SECOND
  }

  /** In ticks, and fractions of them. */
  get position(): number {
    return this.#position
  }

  get state(): PlaybackState {
    return this.#state
  }

  get onChange() {
    return this.#changes.add
  }

  /** From the end it starts over. */
  toggle(now: number): void {
    const isPlaying = !this.#state.isPlaying
    if (isPlaying && this.#position >= this.ticks) this.#position = 0
    this.#playedAt = now
    this.#change({ isPlaying })
  }

  setSpeed(speed: Speed): void {
    this.#change({ speed })
  }

  /** Goes to a tick, or as near as there is one. */
  seek(position: number): void {
    this.#position = Math.min(this.ticks, Math.max(0, position))
    this.#change({ isPlaying: this.#state.isPlaying && this.#position < this.ticks })
  }

  /** Goes on to `now` (`performance.now()`), if it is being played. */
  advance(now: number): void {
    if (!this.#state.isPlaying) return
    const passedMs = Math.min(MAX_FRAME_MS, Math.max(0, now - this.#playedAt))
    this.#playedAt = now
    this.seek(this.#position + (passedMs / 1000) * this.pace * this.#state.speed)
  }

  #change(change: Partial<PlaybackState>): void {
    this.#state = { ...this.#state, ...change, tick: Math.floor(this.#position) }
    this.#changes.tell()
  }
}

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
