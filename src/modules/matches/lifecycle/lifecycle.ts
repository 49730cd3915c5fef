import { join } from 'node:path'
import type { BusSubscription } from '../../../bus/bus.ts'
import { isUnavailable } from '../../../db/retry.ts'
import type { Engine } from '../../../engine/index.ts'
import { gameOf } from '../../../games/game.ts'
import { type Platform, service } from '../../platform.ts'
import { plainScope } from '../../scope.ts'
import { subscribeLeaves } from '../channels.ts'
import { readMatches } from '../match-reads.ts'
import type { MatchRow } from '../match-row.ts'
import { splitOptions } from '../options.ts'
import { type MatchService, matchService } from '../service.ts'
import type { Match } from '../types.ts'
import { differences } from './compare.ts'
import { Countdowns } from './countdowns.ts'
import { type Ending, LiveMatch } from './live-match.ts'
import { Presence } from './presence.ts'
import { Results } from './results.ts'
import { deleteOld } from './retention.ts'
import { type Scored, ScoreWriter } from './score-writer.ts'
import { ResultSpool } from './spool.ts'
import { EMPTY, ORPHANED, OVERDUE, UNJOINED } from './statements.ts'
import { abortAbandoned, abortOwn, finish, take, takeUp } from './transitions.ts'
import { Work } from './work.ts'

/** How often live matches are looked at for scores, absent players and turns. */
const ROUND_MS = 250
const SWEEP_MS = 5_000
const DELETE_OLD_MS = 60_000

/**
 * The life of a match, as far as nobody asks for it: players create, join and leave by `MatchService`; everything else
 * that happens to a match, from waiting to its end, is called from here.
 *
 * - Waiting: `Presence` writes whose players are there. Once all are, the row has a `startsAt`, and the process that
 *   wrote it watches the countdown (`#noteChange`). `#launch` takes the match for this process, `#run` starts its runner.
 * - Live: the engine runs it. Four times a second `#look` offers new scores to `ScoreWriter`, and asks `LiveMatch`
 *   whether its players end it: they left, stay away or do not move.
 * - The end: by the rules (the engine says so), by its players, or by a failure. `#end` halts the runner. A result goes
 *   to `Results`, which stores it now or once the database is back; a match without one is aborted (`#abort`). Both
 *   announce what is stored, which comes back as a change (`#noteChange`), and the match is forgotten.
 * - Every few seconds `#sweep` does what was not done when it was due: abandoned matches, countdowns that nobody
 *   watched, seats of players whose process died; and it compares what runs here with what the database says
 *   (`#compare`), which decides. So a lost message or an unheard commit delays things, and loses nothing.
 * - `endOrphaned` ends what dead processes ran. `stop` breaks off what is live here, and keeps results that cannot be
 *   stored in files, for the next start.
 */
export class MatchLifecycle {
  /** Matches that are live have more to settle than other services. */
  readonly stopWithinMs = 2_000
  readonly #platform: Platform
  readonly #service: MatchService
  readonly #engine: Engine
  readonly #countdowns: Countdowns
  readonly #presence: Presence
  readonly #scores: ScoreWriter
  readonly #results: Results
  readonly #work: Work
  readonly #leaves: BusSubscription
  readonly #live = new Map<string, LiveMatch>()
  #startedAt = 0
  #stopped = false
  readonly #timers: NodeJS.Timeout[] = []

  constructor(platform: Platform) {
    const { config, connections, bus, engine, lease } = platform
    const log = { engine: platform.log.engine, matches: platform.log.of('matches') }
    const service = platform.use(matchService)
    this.#platform = platform
    this.#service = service
    this.#engine = engine
    this.#presence = new Presence(platform, service)
    this.#scores = new ScoreWriter(platform, (scored, version) => this.#scoresWritten(scored, version))
    // Half of the pool is for those who ask.
    const places = Math.max(1, Math.floor(config.database.poolSize / 4))
    this.#work = new Work({
      concurrency: places,
      onError: (error, key) => {
        // What is left undone while the database is away is found by a sweep once it is back.
        const level = isUnavailable(error) ? 'warn' : 'error'
        log.matches[level]({ err: error, key }, 'background work on matches failed')
      },
    })
    this.#results = new Results({
      spool: new ResultSpool({ dir: join(config.dataDir, 'results'), log: log.matches }),
      log: log.matches,
      concurrency: places,
      store: (result) => finish(platform, service, result),
      onDone: ({ matchId }, isStored) => this.#resultDone(matchId, isStored),
    })
    this.#countdowns = new Countdowns(({ id, game }) => this.#work.add(id, () => this.#launch(id, game)))
    this.#leaves = subscribeLeaves(bus, ({ matchId, userId }) => this.#live.get(matchId)?.leave(userId))
    service.onChange((match) => this.#noteChange(match))
    const note = (userId: string) => this.#presence.note(userId)
    service.onSeatOutdated(note)
    connections.onPresence({ online: note, offline: note })
    lease.onDead(() => this.endOrphaned())
    lease.onRevived(() => this.#presence.noteAll())
    engine.listen({
      ended: ({ matchId }, end) => {
        const live = this.#live.get(matchId)
        if (end.kind === 'aborted') log.engine.error({ err: end.error, matchId }, `a match was aborted: ${end.reason}`)
        if (!live) return
        if (end.kind === 'aborted') this.#end(live, { status: 'aborted', endReason: end.reason })
        else this.#end(live, { status: 'finished', outcome: end.outcome, endReason: null })
      },
    })
  }

  /** Takes up results that an earlier process kept, and begins. */
  async start(): Promise<void> {
    await this.#results.restore()
    this.#startedAt = performance.now()
    const { config, database } = this.#platform
    const once = (key: string, job: () => Promise<void>) => () => {
      if (!this.#work.has(key) && !this.#stopped) this.#work.add(key, job)
    }
    const sweep = once('sweep', () => this.#sweepAll())
    const deletion = once('deletion', () => deleteOld(database.sql, config.replayDays))
    this.#timers.push(
      setInterval(() => this.#look(performance.now()), ROUND_MS),
      setInterval(sweep, Math.min(SWEEP_MS, config.matches.emptyMs)),
      setInterval(deletion, DELETE_OLD_MS),
    )
    sweep()
    deletion()
  }

  /** Breaks off what is live here, so that no player is left in a match that nobody runs. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const timer of this.#timers) clearInterval(timer)
    this.#countdowns.stop()
    this.#leaves.unsubscribe()
    for (const { id } of this.#live.values()) this.#engine.halt(id)
    try {
      await this.#settle()
    } catch (error) {
      this.#platform.log
        .of('matches')
        .warn({ err: error }, 'not every match could be broken off: another process will do it')
    }
  }

  /** Ends the matches of dead processes, and notes that their players are gone. The lease knows when. */
  async endOrphaned(): Promise<void> {
    await abortAbandoned(this.#platform, this.#service, ORPHANED)
    await this.#presence.heal()
  }

  // Waiting

  /** A match changed, by a request or from here. */
  #noteChange(match: Match): void {
    if (match.status === 'waiting' && match.startsAt !== null && !this.#stopped) this.#countdowns.set(match)
    else this.#countdowns.delete(match.id)
    const live = this.#live.get(match.id)
    live?.note(match, performance.now())
    if (live && (match.status === 'finished' || match.status === 'aborted')) this.#forget(live)
  }

  async #launch(matchId: string, game: string): Promise<void> {
    if (this.#stopped || this.#live.has(matchId)) return
    await take(this.#platform, this.#service, matchId, gameOf(this.#platform.games, game)?.version, (match, row) =>
      this.#run(match, row),
    )
  }

  // Live

  #run(match: Match, { seed, fence }: MatchRow): void {
    if (this.#live.has(match.id)) return
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
      this.#live.set(match.id, new LiveMatch(runner, match, fence, performance.now()))
    } catch (error) {
      this.#platform.log.engine.error({ err: error, matchId: match.id }, 'a match could not begin')
      const own = { id: match.id, fence }
      this.#work.add(match.id, () => abortOwn(this.#platform, this.#service, [own], 'failed'))
    }
  }

  #look(now: number): void {
    const scored: Scored[] = []
    for (const live of this.#live.values()) {
      if (live.ending) continue
      try {
        const scores = live.scoresToWrite(now)
        if (scores) scored.push({ id: live.id, fence: live.fence, scores })
        const ending = live.endByPlayers(now, this.#platform.config.matches)
        if (ending) this.#end(live, ending)
      } catch (error) {
        this.#platform.log.engine.error({ err: error, matchId: live.id }, 'a match could not be looked at')
        this.#end(live, { status: 'aborted', endReason: 'failed' })
      }
    }
    this.#scores.offer(scored)
  }

  #scoresWritten({ id, scores }: Scored, version: number): void {
    const live = this.#live.get(id)
    if (!live) return
    live.scoredAt = performance.now()
    const { match } = live
    // Something else was written before, which this process has not heard of: the comparison reads it.
    if (version !== match.version + 1) return
    const players = match.players.map((player) => ({ ...player, score: scores[player.seat] ?? player.score }))
    this.#service.publish({ ...match, players, version })
  }

  // The end

  #end(live: LiveMatch, ending: Ending): void {
    if (live.ending) return
    live.ending = ending
    this.#engine.halt(live.id)
    if (ending.status === 'finished') this.#results.add(live.result(ending, this.#platform.node))
    else this.#work.add(live.id, () => this.#abort(live, ending.endReason))
  }

  async #abort(live: LiveMatch, endReason: string): Promise<void> {
    await abortOwn(this.#platform, this.#service, [live], endReason)
    this.#forget(live)
  }

  #resultDone(matchId: string, isStored: boolean): void {
    const live = this.#live.get(matchId)
    if (!live) return
    if (isStored) {
      this.#forget(live)
      return
    }
    // Tried again by the comparison until it is done.
    live.ending = { status: 'aborted', endReason: 'failed' }
    this.#work.add(matchId, () => this.#abort(live, 'failed'))
  }

  #forget(live: LiveMatch): void {
    if (this.#live.get(live.id) !== live) return
    this.#live.delete(live.id)
    this.#engine.remove(live.id)
  }

  // What was not done when it was due

  async #sweepAll(): Promise<void> {
    const { config, database } = this.#platform
    const { maxWaitMs, emptyMs } = config.matches
    await abortAbandoned(this.#platform, this.#service, UNJOINED, [maxWaitMs / 1000])
    // A match may be empty because Rally was away.
    const isUpLongEnough = performance.now() - this.#startedAt >= emptyMs
    if (isUpLongEnough) await abortAbandoned(this.#platform, this.#service, EMPTY, [emptyMs / 1000])
    for (const { id, game } of await database.sql.rows(OVERDUE)) this.#work.add(id, () => this.#launch(id, game))
    await this.#presence.heal()
    await this.#compare()
  }

  /** Brings what runs here in line with what the database says. */
  async #compare(): Promise<void> {
    const { database, node } = this.#platform
    for await (const { id, state } of differences(database.sql, node, this.#live.values())) {
      const live = this.#live.get(id)
      if (this.#work.has(id)) continue
      if (state === 'unheld') this.#work.add(id, () => this.#takeUp(id))
      else if (live && !live.ending) {
        // Others ended it, because for them this process seemed dead.
        if (state === 'gone') this.#end(live, { status: 'aborted', endReason: 'node-lost' })
        else await this.#catchUp(live)
      }
    }
    // What could not be aborted when it ended.
    for (const live of this.#live.values()) {
      const { ending } = live
      if (ending?.status === 'aborted' && !this.#work.has(live.id)) {
        this.#work.add(live.id, () => this.#abort(live, ending.endReason))
      }
    }
  }

  async #takeUp(matchId: string): Promise<void> {
    if (this.#stopped || this.#live.has(matchId)) return
    await takeUp(this.#platform, this.#service, plainScope(this.#platform), matchId, (match, row) =>
      this.#run(match, row),
    )
  }

  /** Reads what others wrote of a match: who is connected to another process, and who has left. */
  async #catchUp(live: LiveMatch): Promise<void> {
    const [row] = await readMatches(this.#platform.database.sql, [live.id])
    if (!row) return
    this.#service.announce(plainScope(this.#platform), row)
    for (const { userId, leftAt } of row.seats) if (userId !== null && leftAt !== null) live.leave(userId)
  }

  async #settle(): Promise<void> {
    await Promise.all([this.#results.stop(), this.#work.idle(), this.#scores.idle()])
    const waiting = new Set(this.#results.matchIds)
    const left = [...this.#live.values()].filter(({ id }) => !waiting.has(id))
    if (left.length > 0) await abortOwn(this.#platform, this.#service, left, 'node-left')
    await this.#presence.stop()
  }
}

export const matchLifecycle = service('matches.lifecycle', (platform) => new MatchLifecycle(platform))
