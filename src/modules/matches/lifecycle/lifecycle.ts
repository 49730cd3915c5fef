import { join } from 'node:path'
import { z } from 'zod'
import type { BusSubscription } from '../../../bus/bus.ts'
import { isUnavailable } from '../../../db/retry.ts'
import type { Engine } from '../../../engine/index.ts'
import { gameOf } from '../../../games/game.ts'
import type { Platform } from '../../platform.ts'
import { plainScope } from '../../scope.ts'
import { MatchId, UserId } from '../../wire.ts'
import type { MatchFeed } from '../match-feed.ts'
import { splitOptions } from '../match-options.ts'
import { type MatchRow, readMatches } from '../match-row.ts'
import { MatchTimers } from '../match-timers.ts'
import type { Match } from '../types.ts'
import { abortAbandoned, deleteOld, EMPTY, ORPHANED, readOverdue, UNJOINED } from './cleanup.ts'
import { OwnedMatches } from './owned-matches.ts'
import { Presence } from './presence.ts'
import { ResultFiles } from './result-files.ts'
import { ResultQueue } from './result-queue.ts'
import { type Ending, RunningMatch } from './running-match.ts'
import { type Scored, ScoreWriter } from './score-writer.ts'
import { WorkQueue } from './work-queue.ts'

/** How often live matches are checked for scores, absent players and turns. */
const CHECK_MS = 250
const SWEEP_MS = 5_000
const DELETE_OLD_MS = 60_000

/** A player left a live match; for the node that runs it. */
const LEFT_TOPIC = 'matches.leave'
const Left = z.object({ matchId: MatchId, userId: UserId })

/**
 * The life of a match, as far as no request asks for it: players create, join and leave by `MatchService`; everything
 * else that happens to a match, from waiting to its end, is called from here.
 *
 * - Waiting: `Presence` writes whose players are connected. Once all are, the row has a `startsAt`, and the node that
 *   wrote it watches the countdown (`#noteChange`). `#begin` claims the match for this node, `#run` starts its runner.
 * - Live: the engine runs it. Four times a second `#checkAll` offers new scores to `ScoreWriter`, and asks `RunningMatch`
 *   whether its players end it: they left, stay away or do not move.
 * - The end: by the rules (the engine says so), by its players, or by a failure. `#end` halts the runner. A result goes
 *   to `ResultQueue`, which stores it now or once the database is back; a match without one is aborted (`#abort`). Both
 *   announce what is stored, which comes back as a change (`#noteChange`), and the match is removed.
 * - Every few seconds `#sweep` does what was not done when it was due: abandoned matches, countdowns that nobody
 *   watched, seats of players whose node died; and it compares what runs here with its rows (`#compare`), which decide.
 *   So a lost message or an unheard commit delays things, and loses nothing.
 * - `#abortOrphaned` ends what dead nodes ran. `stop` aborts what is live here, and keeps results that cannot be stored
 *   in files, for the next start.
 */
export class MatchLifecycle {
  readonly #platform: Platform
  readonly #feed: MatchFeed
  readonly #engine: Engine
  readonly #countdowns: MatchTimers
  readonly #owned: OwnedMatches
  readonly #presence: Presence
  readonly #scores: ScoreWriter
  readonly #results: ResultQueue
  readonly #work: WorkQueue
  readonly #leaves: BusSubscription
  readonly #running = new Map<string, RunningMatch>()
  #startedAt = 0
  #stopped = false
  readonly #timers: NodeJS.Timeout[] = []

  constructor(platform: Platform, feed: MatchFeed) {
    const { config, connections, bus, engine, lease } = platform
    const log = { engine: platform.log.engine, matches: platform.log.of('matches') }
    this.#platform = platform
    this.#feed = feed
    this.#engine = engine
    this.#owned = new OwnedMatches(platform, feed, (match, row) => this.#run(match, row))
    this.#presence = new Presence(platform, feed)
    this.#scores = new ScoreWriter(platform, (scored, version) => this.#scoresWritten(scored, version))
    // Half of the pool is left to requests.
    const concurrency = Math.max(1, Math.floor(config.database.poolSize / 4))
    this.#work = new WorkQueue({
      concurrency,
      onError: (error, key) => {
        // What is left undone while the database is away is found by a sweep once it is back.
        const level = isUnavailable(error) ? 'warn' : 'error'
        log.matches[level]({ err: error, key }, 'background work on matches failed')
      },
    })
    this.#results = new ResultQueue({
      files: new ResultFiles({ dir: join(config.dataDir, 'results'), log: log.matches }),
      log: log.matches,
      concurrency,
      store: (result) => this.#owned.finish(result),
      onDone: ({ matchId }, isStored) => this.#resultDone(matchId, isStored),
    })
    this.#countdowns = new MatchTimers((matchId) => this.#work.add(matchId, () => this.#begin(matchId)))
    this.#leaves = bus.subscribe(LEFT_TOPIC, ({ payload }) => {
      const { matchId, userId } = Left.parse(JSON.parse(payload.toString()))
      this.#running.get(matchId)?.leave(userId)
    })
    feed.onChange((match) => this.#noteChange(match))
    const update = (userId: string) => this.updatePresence(userId)
    connections.onPresence({ online: update, offline: update })
    lease.onDead(() => this.#abortOrphaned())
    lease.onRevived(() => this.#presence.noteAll())
    engine.listen({
      ended: ({ matchId }, end) => {
        const running = this.#running.get(matchId)
        if (end.kind === 'aborted') log.engine.error({ err: end.error, matchId }, `a match was aborted: ${end.reason}`)
        if (!running) return
        if (end.kind === 'aborted') this.#end(running, { status: 'aborted', endReason: end.reason })
        else this.#end(running, { status: 'finished', outcome: end.outcome, endReason: null })
      },
    })
  }

  /** Reads results that an earlier process kept, and begins. */
  async start(): Promise<void> {
    await this.#results.restore()
    this.#startedAt = performance.now()
    const { config, database } = this.#platform
    const once = (key: string, job: () => Promise<void>) => () => {
      if (!this.#work.has(key) && !this.#stopped) this.#work.add(key, job)
    }
    const sweep = once('sweep', () => this.#sweep())
    const deletion = once('deletion', () => deleteOld(database.sql, config.replayDays))
    this.#timers.push(
      setInterval(() => this.#checkAll(performance.now()), CHECK_MS),
      setInterval(sweep, Math.min(SWEEP_MS, config.matches.emptyMs)),
      setInterval(deletion, DELETE_OLD_MS),
    )
    sweep()
    deletion()
  }

  /** Aborts what is live here, so that no player is left in a match that nobody runs. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearInterval(timer)
    this.#countdowns.stop()
    this.#leaves.unsubscribe()
    for (const { id } of this.#running.values()) this.#engine.halt(id)
    try {
      await Promise.all([this.#results.stop(), this.#work.idle(), this.#scores.idle()])
      const waiting = new Set(this.#results.matchIds)
      const left = [...this.#running.values()].filter(({ id }) => !waiting.has(id))
      if (left.length > 0) await this.#owned.abort(left, 'node-left')
      await this.#presence.stop()
    } catch (error) {
      this.#platform.log.of('matches').warn({ err: error }, 'not every match could be aborted: another node will do it')
    }
  }

  /** Aborts the matches of dead nodes, and writes that their players are gone. */
  async #abortOrphaned(): Promise<void> {
    await abortAbandoned(this.#platform, this.#feed, ORPHANED)
    await this.#presence.heal()
  }

  /** Writes whether the user is connected. */
  updatePresence(userId: string): void {
    this.#presence.note(userId)
  }

  /** Tells the node that runs the match at once that a player left it; it would find that in the row later. */
  tellLeft(matchId: string, userId: string): void {
    this.#platform.bus.publish(LEFT_TOPIC, { seq: 0, payload: JSON.stringify({ matchId, userId }) })
  }

  // Waiting

  /** A match changed, by a request or from here. */
  #noteChange(match: Match): void {
    if (match.status === 'waiting' && match.startsAt !== null && !this.#stopped) {
      this.#countdowns.set(match.id, match.startsAt)
    } else this.#countdowns.delete(match.id)
    const running = this.#running.get(match.id)
    running?.note(match, performance.now())
    if (running && (match.status === 'finished' || match.status === 'aborted')) this.#remove(running)
  }

  async #begin(matchId: string): Promise<void> {
    if (!this.#stopped && !this.#running.has(matchId)) await this.#owned.claim(matchId)
  }

  // Live

  #run(match: Match, { seed, fence }: MatchRow): void {
    if (this.#running.has(match.id)) return
    try {
      const game = gameOf(this.#platform.games, match.game)
      if (!game) throw new Error(`no such game: ${match.game}`)
      const runner = this.#engine.start({
        matchId: match.id,
        game,
        seed,
        options: splitOptions(match.options).rules,
        botSeats: match.players.filter(({ userId }) => userId === null).map(({ seat }) => seat),
      })
      this.#running.set(
        match.id,
        new RunningMatch(runner, match, fence, this.#platform.config.matches, performance.now()),
      )
    } catch (error) {
      this.#platform.log.engine.error({ err: error, matchId: match.id }, 'a match could not begin')
      this.#work.add(match.id, () => this.#owned.abort([{ id: match.id, fence }], 'failed'))
    }
  }

  #checkAll(now: number): void {
    const scored: Scored[] = []
    for (const running of this.#running.values()) {
      if (running.ending) continue
      try {
        const scores = running.scoresToWrite(now)
        if (scores) scored.push({ id: running.id, fence: running.fence, scores })
        const ending = running.endByPlayers(now)
        if (ending) this.#end(running, ending)
      } catch (error) {
        this.#platform.log.engine.error({ err: error, matchId: running.id }, 'a match could not be checked')
        this.#end(running, { status: 'aborted', endReason: 'failed' })
      }
    }
    this.#scores.offer(scored)
  }

  #scoresWritten({ id, scores }: Scored, version: number): void {
    const running = this.#running.get(id)
    if (!running) return
    running.scoredAt = performance.now()
    const { match } = running
    // This node has not heard of something that was written before: the comparison reads it.
    if (version !== match.version + 1) return
    const players = match.players.map((player) => ({ ...player, score: scores[player.seat] ?? player.score }))
    this.#feed.publish({ ...match, players, version })
  }

  // The end

  #end(running: RunningMatch, ending: Ending): void {
    if (running.ending) return
    running.ending = ending
    this.#engine.halt(running.id)
    if (ending.status === 'finished') this.#results.add(running.result(ending, this.#platform.node))
    else this.#work.add(running.id, () => this.#abort(running, ending.endReason))
  }

  async #abort(running: RunningMatch, endReason: string): Promise<void> {
    await this.#owned.abort([running], endReason)
    this.#remove(running)
  }

  #resultDone(matchId: string, isStored: boolean): void {
    const running = this.#running.get(matchId)
    if (!running) return
    if (isStored) {
      this.#remove(running)
      return
    }
    // The comparison tries again until it is done.
    running.ending = { status: 'aborted', endReason: 'failed' }
    this.#work.add(matchId, () => this.#abort(running, 'failed'))
  }

  #remove(running: RunningMatch): void {
    if (this.#running.get(running.id) !== running) return
    this.#running.delete(running.id)
    this.#engine.remove(running.id)
  }

  // What was not done when it was due

  async #sweep(): Promise<void> {
    const { config, database } = this.#platform
    const { maxWaitMs, emptyMs } = config.matches
    await abortAbandoned(this.#platform, this.#feed, UNJOINED, [maxWaitMs / 1000])
    // A match may be empty because Rally was away.
    const isUpLongEnough = performance.now() - this.#startedAt >= emptyMs
    if (isUpLongEnough) await abortAbandoned(this.#platform, this.#feed, EMPTY, [emptyMs / 1000])
    for (const { id } of await readOverdue(database.sql)) this.#work.add(id, () => this.#begin(id))
    await this.#presence.heal()
    await this.#compare()
  }

  /** Brings what runs here in line with its rows. */
  async #compare(): Promise<void> {
    for await (const { id, state } of this.#owned.compare(this.#running.values())) {
      const running = this.#running.get(id)
      if (this.#work.has(id)) continue
      if (state === 'missing') this.#work.add(id, () => this.#resume(id))
      else if (running && !running.ending) {
        // Other nodes ended it, because this one seemed dead.
        if (state === 'lost') this.#end(running, { status: 'aborted', endReason: 'node-lost' })
        else await this.#readAgain(running)
      }
    }
    // What could not be aborted when it ended.
    for (const running of this.#running.values()) {
      const { ending } = running
      if (ending?.status === 'aborted' && !this.#work.has(running.id)) {
        this.#work.add(running.id, () => this.#abort(running, ending.endReason))
      }
    }
  }

  async #resume(matchId: string): Promise<void> {
    if (!this.#stopped && !this.#running.has(matchId)) await this.#owned.resume(matchId)
  }

  /** Reads what others wrote of a match: who is connected to another node, and who has left. */
  async #readAgain(running: RunningMatch): Promise<void> {
    const [row] = await readMatches(this.#platform.database.sql, [running.id])
    if (!row) return
    this.#feed.announce(plainScope(this.#platform), row)
    for (const { userId, leftAt } of row.seats) if (userId !== null && leftAt !== null) running.leave(userId)
  }
}
