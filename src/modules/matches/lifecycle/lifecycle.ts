import { z } from 'zod'
import type { PeriodicJob, Platform } from '../../platform.ts'
import { MatchId, UserId } from '../../wire.ts'
import type { MatchFeed } from '../match-feed.ts'
import type { MatchRow } from '../match-row.ts'
import { longestCountdownMs, MatchTimers } from '../match-timers.ts'
import type { Match } from '../types.ts'
import { abortAbandoned, EMPTY, ORPHANED, OVERDUE, UNJOINED } from './cleanup.ts'
import { Presence } from './presence.ts'
import { RunningMatches } from './running-matches.ts'

const SWEEP_MS = 5_000

/** A message to the node that runs a live match: a player left. */
const LEFT = 'matches.left'
const Left = z.object({ matchId: MatchId, userId: UserId })
/** A message from a node that leaves: another node has to begin this match. */
const COUNTDOWN = 'matches.countdown'
const Countdown = z.object({ matchId: MatchId, startsAt: z.number() })

/**
 * Everything that happens to a match without a request, from waiting to its end. (Players create, join and leave matches
 * through `MatchService`.)
 *
 * - Waiting: `Presence` writes whose players are connected. Once all are, the row has a `startsAt`, and the node that
 *   wrote it watches the countdown. Then `RunningMatches` claims the match for this node and starts its runner.
 * - Live: the engine runs it. Four times a second `RunningMatches` asks `RunningMatch` whether its players end it: they
 *   left, stay away or do not move; and it writes scores that changed.
 * - The end: by the rules (the engine says so), by its players, or by a failure. A result goes to `ResultQueue`, which
 *   stores it now or once the database is back; a match without one is aborted. Both announce what is stored.
 * - Every few seconds a sweep does what was missed: abandoned matches, countdowns that nobody watched, seats of players
 *   whose node died. It also compares what runs here with its rows, which decide: a lost message only causes a delay.
 * - In a cluster, a lease that lapses pauses all matches of this node, until the rows say which are still its own. The
 *   living nodes abort what dead nodes ran. A node that leaves begins no match: other nodes do. When its time to drain is
 *   over, it aborts what is live on it, and keeps results that it cannot store in files for its next start.
 */
export class MatchLifecycle {
  readonly #platform: Platform
  readonly #feed: MatchFeed
  readonly #countdowns: MatchTimers
  readonly #presence: Presence
  readonly #running: RunningMatches
  #sweeping: PeriodicJob | undefined
  #startedAt = 0
  #stopped = false
  #stoppingMatches: Promise<void> | undefined

  constructor(platform: Platform, feed: MatchFeed) {
    const { bus, config, connections, nodes, lease, draining } = platform
    this.#platform = platform
    this.#feed = feed
    this.#presence = new Presence(platform, feed)
    this.#running = new RunningMatches(platform, feed, (matchId, startsAt) => this.#handOver(matchId, startsAt))
    this.#countdowns = new MatchTimers((matchId, at) => this.#running.begin(matchId, new Date(at)))
    feed.onChange((match) => this.#noteChange(match))
    nodes.listen(LEFT, (data) => {
      const { matchId, userId } = Left.parse(data)
      this.#running.leave(matchId, userId)
    })
    nodes.listen(COUNTDOWN, (data) => {
      const { matchId, startsAt } = Countdown.parse(data)
      if (!this.#stopped && !draining.aborted) this.#countdowns.set(matchId, startsAt, longestCountdownMs(config))
    })
    draining.addEventListener('abort', () => {
      for (const [matchId, startsAt] of this.#countdowns.times) this.#handOver(matchId, startsAt)
    })
    const update = (userId: string) => this.updatePresence(userId)
    connections.onPresence({ online: update, offline: update })
    lease.onDead(() => this.#abortOrphaned())
    // A node that is alone plays on: nobody else can run its matches.
    lease.onLapsed(() => {
      if (config.redisUrl !== undefined || bus.nodes().length > 0) this.#running.pause()
    })
    lease.onRevived(() => {
      this.#running.pause()
      this.#presence.updateAll()
    })
  }

  get queues() {
    return this.#running.queues
  }

  async start(): Promise<void> {
    await this.#running.start()
    this.#startedAt = performance.now()
    const everyMs = Math.min(SWEEP_MS, this.#platform.config.matches.emptyMs)
    this.#sweeping = this.#platform.every('matches.sweep', everyMs, () => this.#sweep())
  }

  /** Aborts what is still live, while the sockets are open. */
  settle(): Promise<void> {
    this.#stopped = true
    this.#countdowns.stop()
    this.#stoppingMatches ??= this.#running.stop()
    return this.#stoppingMatches
  }

  /** Never rejects. */
  async stop(): Promise<void> {
    try {
      await Promise.all([this.#sweeping?.stop(), this.settle()])
      await this.#presence.stop()
    } catch (error) {
      this.#platform.log.of('matches').warn({ err: error }, 'not every match could be aborted: another node will do it')
    }
  }

  /** `listener` is called when this node has written that users are connected or away. */
  onPresence(listener: (userIds: readonly string[]) => void): void {
    this.#presence.onWritten(listener)
  }

  /** Writes whether the user is connected. */
  updatePresence(userId: string): void {
    this.#presence.update(userId)
  }

  /** Tells the node that runs the match that a player left, which it would see in the row later. */
  tellLeft({ id, nodeId }: Pick<MatchRow, 'id' | 'nodeId'>, userId: string): void {
    if (nodeId !== null) this.#platform.nodes.tell(nodeId, LEFT, { matchId: id, userId })
  }

  /** So many watch a match that this node runs. */
  noteSpectators(matchId: string, count: number): void {
    this.#running.noteSpectators(matchId, count)
  }

  #noteChange(match: Match): void {
    const { id, status, startsAt } = match
    if (status !== 'waiting' || startsAt === null || this.#stopped) this.#countdowns.delete(id)
    else if (this.#platform.draining.aborted) this.#handOver(id, startsAt)
    else this.#countdowns.set(id, startsAt, longestCountdownMs(this.#platform.config))
    this.#running.note(match)
  }

  /** Has another node begin the match. All are told: one succeeds, and those that leave too do nothing. */
  #handOver(matchId: string, startsAt: number): void {
    this.#countdowns.delete(matchId)
    const { bus, nodes } = this.#platform
    for (const node of bus.nodes()) nodes.tell(node, COUNTDOWN, { matchId, startsAt })
  }

  /** Aborts the matches of dead nodes, and writes that their players are gone. */
  async #abortOrphaned(): Promise<void> {
    await abortAbandoned(this.#platform, this.#feed, ORPHANED)
    await this.#presence.correctSeats()
  }

  async #sweep(): Promise<void> {
    const { config, database } = this.#platform
    const { maxWaitMs, emptyMs } = config.matches
    await abortAbandoned(this.#platform, this.#feed, UNJOINED, [maxWaitMs / 1000])
    // A match may be empty because Rally was not running.
    const isUpLongEnough = performance.now() - this.#startedAt >= emptyMs
    if (isUpLongEnough) await abortAbandoned(this.#platform, this.#feed, EMPTY, [emptyMs / 1000])
    const overdue = await database.sql.rows(OVERDUE, [longestCountdownMs(config) / 1000])
    for (const { id, startsAt } of overdue) this.#running.begin(id, startsAt)
    await this.#presence.correctSeats()
    await this.#running.compare()
  }
}
