import { z } from 'zod'
import type { MatchRunner } from '../../engine/index.ts'
import { type LiveEndStatus, MAX_STREAM } from '../../protocol/live-frames.ts'
import type { Hub } from '../../rpc/index.ts'
import type { DelayedView } from './delayed-view.ts'
import { FramePublisher } from './frame-publisher.ts'

const COLLECT_EVERY_MS = 10_000
/** A stream number is not used again for this long, as frames of its match may still be under way. */
const REST_MS = 5_000
/** A match that does not run here is forgotten when nobody has followed it or asked for it for this long. */
const FORGET_MS = 30_000
/** Inputs to a match that no node runs cost one query in this time. */
const NO_OWNER_MS = 1_000
const MAX_NO_OWNER = 10_000

/** A seat and its user. The server-side opponent has no user. */
export const SeatOf = z.object({ seat: z.number(), userId: z.string().nullable() })
export type SeatOf = Readonly<z.infer<typeof SeatOf>>

/** Spectators of a match on one node, and when the node that runs it was told, by a monotonic clock, ms. */
export interface WatchedFrom {
  readonly count: number
  readonly toldAt: number
}

/** A match that runs on this node, or that sockets of this node play or watch. */
export class LiveMatch {
  readonly matchId: string
  /** Its number in the binary frames of this node's sockets. */
  readonly stream: number
  /** The frames for followers who see the match as it is, and for those who see it with a delay. */
  readonly prompt: FramePublisher
  readonly delayed: FramePublisher
  /** When it was last asked for, by a monotonic clock, ms. */
  askedAt: number
  delayMs = 0
  seats: readonly SeatOf[] = []
  players: readonly string[] = []
  /** The socket that last sent an input for each seat. */
  readonly holders: (string | null)[] = []
  /** Set once it has begun here. */
  runner: MatchRunner | null = null
  /** The other node that runs it, once this node knows. */
  owner: string | null = null
  view: DelayedView | null = null
  /** If it runs here: its spectators on other nodes, by node. */
  readonly watchedFrom = new Map<string, WatchedFrom>()
  /** If it runs on another node: the spectators here, as that node was told last. */
  watchedHere: WatchedFrom = { count: 0, toldAt: 0 }
  /** How it ended, set after the commit. */
  end: LiveEndStatus | null = null

  constructor(hub: Hub, matchId: string, streamOf: (match: LiveMatch) => number, now: number) {
    this.matchId = matchId
    this.askedAt = now
    this.stream = streamOf(this)
    this.prompt = new FramePublisher(hub, matchId, this.stream, false)
    this.delayed = new FramePublisher(hub, matchId, this.stream, true)
  }

  /** Whether it runs, here or on another node. */
  get isLive(): boolean {
    return (this.runner !== null || this.owner !== null) && this.end === null
  }

  /** Whether this user (null for an anonymous one) sees the match later than its players. */
  isDelayedFor(userId: string | null): boolean {
    return this.delayMs > 0 && (userId === null || !this.seats.some((seat) => seat.userId === userId))
  }

  publisherFor(userId: string | null): FramePublisher {
    return this.isDelayedFor(userId) ? this.delayed : this.prompt
  }

  /** Answers whether the seats were known with other users. */
  setSeats(seats: readonly SeatOf[]): boolean {
    const before = this.seats
    this.seats = seats.map(({ seat, userId }) => ({ seat, userId }))
    if (before.length === 0) return false
    const isIn = (others: readonly SeatOf[]) => (one: SeatOf) => others.some(({ userId }) => userId === one.userId)
    return !before.every(isIn(seats)) || !seats.every(isIn(before))
  }

  /** Has the runner report each step, if anybody may follow states. */
  watchSteps(): void {
    if (this.runner) this.runner.watched = this.prompt.wantsStates
  }
}

/** The matches that this node knows, by id and by stream number, and the users who play them. */
export class LiveMatches {
  readonly #hub: Hub
  readonly #onRemove: (match: LiveMatch) => void
  readonly #byId = new Map<string, LiveMatch>()
  readonly #numbers = new StreamNumbers<LiveMatch>()
  /** How many live matches each user plays. */
  readonly #playing = new Map<string, number>()
  /** Matches that no other node ran, with the time when that was looked up. */
  readonly #noOwner = new Map<string, number>()
  #collectedAt = 0

  constructor(hub: Hub, onRemove: (match: LiveMatch) => void) {
    this.#hub = hub
    this.#onRemove = onRemove
  }

  [Symbol.iterator](): Iterator<LiveMatch> {
    return this.#byId.values()
  }

  get(matchId: string): LiveMatch | undefined {
    return this.#byId.get(matchId)
  }

  byStream(stream: number): LiveMatch | undefined {
    return this.#numbers.get(stream)
  }

  /** The match; notes that somebody asks for it now. */
  add(matchId: string): LiveMatch {
    const now = performance.now()
    const known = this.#byId.get(matchId)
    if (known) {
      known.askedAt = now
      return known
    }
    this.#collect(now)
    const match = new LiveMatch(this.#hub, matchId, (one) => this.#numbers.add(one, now), now)
    this.#byId.set(matchId, match)
    return match
  }

  remove(match: LiveMatch): void {
    match.runner = match.owner = null
    this.countPlayers(match)
    this.#numbers.delete(match.stream, performance.now())
    this.#byId.delete(match.matchId)
    this.#onRemove(match)
  }

  isPlaying(userId: string): boolean {
    return this.#playing.has(userId)
  }

  /** Call this when the match has begun or ended, or when the users of its seats have changed. */
  countPlayers(match: LiveMatch): void {
    const before = match.players
    match.players = match.isLive ? [...new Set(match.seats.flatMap(({ userId }) => userId ?? []))] : []
    for (const userId of match.players) this.#count(userId, 1)
    for (const userId of before) this.#count(userId, -1)
  }

  /** The other node that runs the match, as far as this node knows. */
  setOwner(match: LiveMatch, owner: string | null, seats: readonly SeatOf[]): void {
    match.owner = owner
    if (owner !== null) this.#noOwner.delete(match.matchId)
    match.setSeats(seats)
    this.countPlayers(match)
  }

  /** Whether it was noted a moment ago that no other node runs this match. */
  hasNoOwner(matchId: string): boolean {
    return performance.now() - (this.#noOwner.get(matchId) ?? Number.NEGATIVE_INFINITY) < NO_OWNER_MS
  }

  noteNoOwner(matchId: string): void {
    if (this.#noOwner.size >= MAX_NO_OWNER) this.#noOwner.clear()
    this.#noOwner.set(matchId, performance.now())
  }

  /** Forgets what may be wrong of matches on `node`, or on any other node. It is looked up again when needed. */
  forgetOwners(node?: string): void {
    for (const match of this.#byId.values()) {
      if (match.owner !== null && (node === undefined || match.owner === node)) this.setOwner(match, null, match.seats)
    }
  }

  #count(userId: string, change: number): void {
    const matches = (this.#playing.get(userId) ?? 0) + change
    if (matches > 0) this.#playing.set(userId, matches)
    else this.#playing.delete(userId)
  }

  #collect(now: number): void {
    if (now - this.#collectedAt < COLLECT_EVERY_MS) return
    this.#collectedAt = now
    for (const match of this.#byId.values()) {
      const { runner, askedAt, prompt, delayed } = match
      if (runner || now - askedAt <= FORGET_MS || prompt.isFollowed || delayed.isFollowed) continue
      this.remove(match)
    }
  }
}

/** The numbers that name matches in binary frames. A match gets the smallest one that is free, as small ones take fewer bytes. */
export class StreamNumbers<Match> {
  readonly #matches: (Match | undefined)[] = []
  /** When each number became free. */
  readonly #freeSince: number[] = []
  /** No number below this is free. */
  #from = 0

  /** `now` is a monotonic time in ms. @throws RangeError when all 2^30 are taken. */
  add(match: Match, now: number): number {
    while (this.#matches[this.#from] !== undefined) this.#from++
    let stream = this.#from
    while (this.#matches[stream] !== undefined || this.#rests(stream, now)) stream++
    if (stream > MAX_STREAM) throw new RangeError('no stream number is free')
    this.#matches[stream] = match
    return stream
  }

  get(stream: number): Match | undefined {
    return this.#matches[stream]
  }

  delete(stream: number, now: number): void {
    if (this.#matches[stream] === undefined) return
    this.#matches[stream] = undefined
    this.#freeSince[stream] = now
    this.#from = Math.min(this.#from, stream)
  }

  #rests(stream: number, now: number): boolean {
    return now - (this.#freeSince[stream] ?? Number.NEGATIVE_INFINITY) < REST_MS
  }
}
