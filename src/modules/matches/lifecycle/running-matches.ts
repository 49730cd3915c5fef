import { join } from 'node:path'
import { isUnavailable } from '../../../db/retry.ts'
import { gameOf } from '../../../games/game.ts'
import type { PeriodicJob, Platform } from '../../platform.ts'
import { plainScope } from '../../scope.ts'
import type { MatchFeed } from '../match-feed.ts'
import { splitOptions } from '../match-options.ts'
import { type MatchRow, readMatches } from '../match-row.ts'
import type { EndReason, Match } from '../types.ts'
import { OwnedMatches, type Progress } from './owned-matches.ts'
import { ResultFiles } from './result-files.ts'
import { ResultQueue } from './result-queue.ts'
import { type Ending, RunningMatch } from './running-match.ts'
import { WorkQueue } from './work-queue.ts'

/** How often live matches are checked for scores, absent players and turns. */
const CHECK_MS = 250
/** After an outage of the database, players who came back meanwhile have so long to be written as connected. */
const SETTLE_MS = 2_000

/** The live matches that this node runs, from the claim until the end is stored. */
export class RunningMatches {
  readonly #platform: Platform
  readonly #feed: MatchFeed
  readonly #owned: OwnedMatches
  readonly #results: ResultQueue
  readonly #work: WorkQueue
  readonly #handOver: (matchId: string, startsAt: number) => void
  readonly #running = new Map<string, RunningMatch>()
  #check: PeriodicJob | undefined
  /** The lease has lapsed: all matches are paused until they are compared with their rows. */
  #isPaused = false
  #pauses = 0
  /** Before this moment no player loses by being away. Monotonic, ms. */
  #settledAt = 0
  #stopped = false

  /** @param handOver has another node begin a match, because this one leaves */
  constructor(platform: Platform, feed: MatchFeed, handOver: (matchId: string, startsAt: number) => void) {
    const { config, engine } = platform
    const log = platform.log.of('matches')
    this.#platform = platform
    this.#handOver = handOver
    this.#feed = feed
    this.#owned = new OwnedMatches(platform, feed, (match, row) => this.#run(match, row))
    // The other half of the pool is for requests.
    const concurrency = Math.max(1, Math.floor(config.database.poolSize / 4))
    this.#work = new WorkQueue(concurrency, (error, key) => {
      // A comparison finds what was not done while the database was away.
      log[isUnavailable(error) ? 'warn' : 'error']({ err: error, key }, 'background work on matches failed')
    })
    this.#results = new ResultQueue({
      files: new ResultFiles({ dir: join(config.dataDir, 'results'), log }),
      log,
      concurrency,
      store: (result) =>
        platform.traced('matches.settle', { 'rally.match_id': result.matchId }, () => this.#owned.finish(result)),
      onDone: ({ matchId }, isStored) => this.#resultDone(matchId, isStored),
    })
    engine.listen({
      ended: ({ matchId }, end) => {
        const running = this.#running.get(matchId)
        if (end.kind === 'aborted') {
          platform.log.engine.error({ err: end.error, matchId }, `a match was aborted: ${end.reason}`)
        }
        if (!running) return
        if (end.kind === 'aborted') this.#end(running, { status: 'aborted', endReason: end.reason })
        else this.#end(running, { status: 'finished', outcome: end.outcome, endReason: null })
      },
    })
  }

  /** Results that are not stored yet, and background work. */
  get queues() {
    return { 'matches.results': this.#results, 'matches.work': this.#work }
  }

  async start(): Promise<void> {
    await this.#results.restore()
    this.#check = this.#platform.every('matches.check', CHECK_MS, () => this.#checkAll(performance.now()))
  }

  /** Aborts the live matches, so that no player is left in a match that nobody runs. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const { id } of this.#running.values()) this.#platform.engine.halt(id)
    await Promise.all([this.#check?.stop(), this.#results.stop(), this.#work.idle()])
    const waiting = new Set(this.#results.matchIds)
    const left = [...this.#running.values()].filter(({ id }) => !waiting.has(id))
    if (left.length > 0) await this.#owned.abort(left, 'node-left')
  }

  /** Claims a match whose countdown, which ends at `startsAt`, is over, and runs it. A node that leaves hands it over. */
  begin(matchId: string, startsAt: Date): void {
    this.#work.add(matchId, async () => {
      const { lease, draining } = this.#platform
      if (this.#running.has(matchId)) return
      // The job may have waited since before this node began to leave.
      if (draining.aborted) this.#handOver(matchId, startsAt.getTime())
      else if (lease.isHeld && !this.#stopped) await this.#owned.claim(matchId, startsAt)
    })
  }

  /** Call this when a match was written, here or on another node. */
  note(match: Match): void {
    const running = this.#running.get(match.id)
    running?.note(match, performance.now())
    if (running && (match.status === 'finished' || match.status === 'aborted')) this.#remove(running)
  }

  noteSpectators(matchId: string, count: number): void {
    const running = this.#running.get(matchId)
    if (running) running.spectators = count
  }

  leave(matchId: string, userId: string): void {
    this.#running.get(matchId)?.leave(userId)
  }

  /** Pauses all matches: other nodes may abort them from now on. */
  pause(): void {
    this.#isPaused = true
    this.#pauses++
    for (const running of this.#running.values()) running.pause(performance.now())
  }

  /** Compares what runs here with its rows, and follows the rows. */
  async compare(): Promise<void> {
    for await (const { id, state } of this.#owned.compare(this.#running.values())) {
      if (this.#stopped) return
      const running = this.#running.get(id)
      if (this.#work.has(id)) continue
      if (state === 'missing') this.#work.add(id, () => this.#owned.resume(id))
      else if (running && !running.ending) {
        // Other nodes ended it, because this one seemed dead.
        if (state === 'lost') this.#end(running, { status: 'aborted', endReason: 'node-lost' })
        else await this.#readAgain(running)
      }
    }
    if (this.#stopped) return
    // A match that could not be aborted when it ended.
    for (const running of this.#running.values()) {
      const { ending } = running
      if (ending?.status === 'aborted' && !this.#work.has(running.id)) {
        this.#work.add(running.id, () => this.#abort(running, ending.endReason))
      }
    }
  }

  #run(match: Match, { seed, fence }: MatchRow): void {
    if (this.#running.has(match.id)) return
    const { games, engine, config, log } = this.#platform
    try {
      const game = gameOf(games, match.game)
      if (!game) throw new Error(`no such game: ${match.game}`)
      const runner = engine.start({
        matchId: match.id,
        game,
        seed,
        options: splitOptions(match.options).rules,
        botSeats: match.players.filter(({ userId }) => userId === null).map(({ seat }) => seat),
      })
      const now = performance.now()
      const running = new RunningMatch(runner, match, fence, config.matches, now)
      // The lease may have lapsed since the claim.
      if (this.#isPaused) running.pause(now)
      this.#running.set(match.id, running)
    } catch (error) {
      log.engine.error({ err: error, matchId: match.id }, 'a match could not begin')
      this.#work.add(match.id, () => this.#owned.abort([{ id: match.id, fence }], 'failed'))
    }
  }

  async #checkAll(now: number): Promise<void> {
    if (this.#isPaused) await this.#goOn()
    if (this.#isPaused || now < this.#settledAt) return
    const changed: Progress[] = []
    for (const running of this.#running.values()) {
      if (running.ending) continue
      try {
        const progress = running.progressToWrite(now)
        if (progress) changed.push(progress)
        const ending = running.endByPlayers(now)
        if (ending) this.#end(running, ending)
      } catch (error) {
        this.#platform.log.engine.error({ err: error, matchId: running.id }, 'a match could not be checked')
        this.#end(running, { status: 'aborted', endReason: 'failed' })
      }
    }
    const versions = await this.#owned.writeProgress(changed)
    for (const each of changed) this.#progressWritten(each, versions.get(each.id))
  }

  /** Resumes the matches that are still this node's, after it got its lease again. */
  async #goOn(): Promise<void> {
    const { lease } = this.#platform
    const pauses = this.#pauses
    if (!lease.isHeld) return
    await this.compare()
    // After a newer pause, the comparison is too old.
    if (!lease.isHeld || pauses !== this.#pauses) return
    const now = performance.now()
    this.#isPaused = false
    this.#settledAt = now + SETTLE_MS
    for (const running of this.#running.values()) running.resume(now)
  }

  #progressWritten({ id, scores, spectators }: Progress, version: number | undefined): void {
    const running = this.#running.get(id)
    if (!running || version === undefined) return
    running.writtenAt = performance.now()
    const { match } = running
    // This node has missed an earlier write: the comparison reads it.
    if (version !== match.version + 1) return
    const players = match.players.map((player) => ({ ...player, score: scores[player.seat] ?? player.score }))
    this.#feed.publish({ ...match, players, spectators, version })
  }

  #end(running: RunningMatch, ending: Ending): void {
    if (running.ending) return
    running.ending = ending
    this.#platform.engine.halt(running.id)
    if (ending.status === 'finished') this.#results.add(running.result(ending, this.#platform.node))
    else this.#work.add(running.id, () => this.#abort(running, ending.endReason))
  }

  async #abort(running: RunningMatch, endReason: EndReason): Promise<void> {
    await this.#owned.abort([running], endReason)
    this.#remove(running)
  }

  #resultDone(matchId: string, isStored: boolean): void {
    const running = this.#running.get(matchId)
    if (!running) return
    if (isStored) this.#remove(running)
    else {
      // The comparison tries again until it is done.
      running.ending = { status: 'aborted', endReason: 'failed' }
      this.#work.add(matchId, () => this.#abort(running, 'failed'))
    }
  }

  #remove(running: RunningMatch): void {
    if (this.#running.get(running.id) !== running) return
    this.#running.delete(running.id)
    this.#platform.engine.remove(running.id)
  }

  /** Reads what others wrote of a match: who is connected to another node, and who has left. */
  async #readAgain(running: RunningMatch): Promise<void> {
    const [row] = await readMatches(this.#platform.database.sql, [running.id])
    if (!row) return
    this.#feed.announce(plainScope(this.#platform), row)
    for (const { seat, leftAt } of row.seats) if (leftAt !== null) running.leaveSeat(seat)
  }
}
