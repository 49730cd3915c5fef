import type { MatchRunner } from '../../engine/index.ts'
import type { LiveEndStatus } from '../../protocol/live-frames.ts'
import type { Connection, Hub } from '../../rpc/index.ts'
import type { DelayedView } from './delayed-view.ts'
import { FramePublisher } from './frame-publisher.ts'

/** Who sits where; nobody's user is the server-side opponent. */
export interface SeatOf {
  readonly seat: number
  readonly userId: string | null
}

/** A match as this process carries it to those who follow it, from the first one who does to the end. */
export class LiveMatch {
  readonly matchId: string
  /** Its number in binary frames. */
  readonly stream: number
  /** Those who see it as it is. */
  readonly prompt: FramePublisher
  /** Those who see it later. */
  readonly delayed: FramePublisher
  /** When somebody last asked for it, by a monotonic clock, ms. */
  askedAt: number
  delayMs = 0
  /** Users who play it now. */
  players: readonly string[] = []
  seats: readonly SeatOf[] = []
  /** The socket that last did something with each seat. */
  readonly holders: (Connection | null)[] = []
  /** Once it has begun here. */
  runner: MatchRunner | null = null
  view: DelayedView | null = null
  /** How it ended, once that is committed. */
  end: LiveEndStatus | null = null

  constructor(hub: Hub, matchId: string, streamOf: (match: LiveMatch) => number, now: number) {
    this.matchId = matchId
    this.askedAt = now
    this.stream = streamOf(this)
    this.prompt = new FramePublisher(hub, matchId, this.stream, false)
    this.delayed = new FramePublisher(hub, matchId, this.stream, true)
  }

  get isFollowed(): boolean {
    return this.prompt.isFollowed || this.delayed.isFollowed
  }

  /** Whether this user, or nobody in particular, sees the match later than its players. */
  isDelayedFor(userId: string | null): boolean {
    return this.delayMs > 0 && (userId === null || !this.seats.some((seat) => seat.userId === userId))
  }

  publisherFor(userId: string | null): FramePublisher {
    return this.isDelayedFor(userId) ? this.delayed : this.prompt
  }

  /** Answers whether other users have seats now. */
  setSeats(seats: readonly SeatOf[]): boolean {
    const before = this.seats
    this.seats = seats.map(({ seat, userId }) => ({ seat, userId }))
    const isIn = (others: readonly SeatOf[]) => (one: SeatOf) => others.some(({ userId }) => userId === one.userId)
    return !before.every(isIn(seats)) || !seats.every(isIn(before))
  }

  /** Whether the runner has to tell of each step. */
  watchSteps(): void {
    if (this.runner) this.runner.watched = this.prompt.wantsStates
  }
}
