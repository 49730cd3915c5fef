import type { BusSubscription } from '../../../bus/bus.ts'
import { isUnavailable } from '../../../db/retry.ts'
import type { Engine, MatchRunner } from '../../../engine/index.ts'
import { games, isGameName } from '../../../games/index.ts'
import type { Platform } from '../../context.ts'
import { type Leave, subscribeLeaves } from '../channels.ts'
import { splitOptions } from '../options.ts'
import type { MatchService } from '../service.ts'
import type { Scored } from '../store.ts'
import type { Match } from '../types.ts'
import { Absences } from './absences.ts'
import { Countdowns } from './countdowns.ts'
import { giveUp, launch } from './launch.ts'
import { Presence } from './presence.ts'
import { commitEnding, type Ending } from './results.ts'
import { ScoreWriter } from './score-writer.ts'
import { endAbandoned, endOrphaned, endOwn, findOverdue, findOwnLive } from './sweeps.ts'
import { Work } from './work.ts'

/** How often live matches are looked at for scores and absent players. */
const ROUND_MS = 250
const SWEEP_MS = 5_000
/** How long leaving may take: what is not settled then, another process settles, or this one when it comes back. */
const STOP_MS = 4_000

/** A live match that this process runs. */
interface Live {
  readonly runner: MatchRunner
  /** As it was last written. */
  match: Match
  lastTurnAt: number
  lastTick: number
  ending: boolean
}

/**
 * Brings matches to life and to their end: starts them when the countdown is over, writes scores and results, lets
 * players who left lose, and settles what dead processes leave behind. The database decides whose a match is; what
 * this process holds is brought into line with it every few seconds.
 */
export class MatchKeeper {
  readonly #platform: Platform
  readonly #service: MatchService
  readonly #engine: Engine
  readonly #countdowns: Countdowns
  readonly #absences: Absences
  readonly #presence: Presence
  readonly #scores: ScoreWriter
  readonly #work: Work
  readonly #leaves: BusSubscription
  readonly #live = new Map<string, Live>()
  readonly #stopping = new AbortController()
  #startedAt = 0
  #round: NodeJS.Timeout | undefined
  #sweep: NodeJS.Timeout | undefined

  constructor(platform: Platform, service: MatchService, engine: Engine) {
    const { config, connections, bus, log } = platform
    this.#platform = platform
    this.#service = service
    this.#engine = engine
    this.#absences = new Absences(config.matches.comeBackMs)
    this.#presence = new Presence(platform, service)
    this.#scores = new ScoreWriter(platform, service)
    this.#work = new Work({
      // The other half of the pool is for who asks.
      concurrency: Math.ceil(config.database.poolSize / 2),
      onError: (error, key) => log.matches.error({ err: error, key }, 'background work on matches failed'),
    })
    this.#countdowns = new Countdowns((matchId) => this.#work.add(matchId, () => this.#launch(matchId)))
    this.#leaves = subscribeLeaves(bus, (leave) => this.#forfeit(leave))
    service.onChange((match) => this.#noteChange(match))
    service.onSeatOutdated((userId) => this.#presence.note(userId))
    connections.onPresence({
      online: (userId) => this.#presence.note(userId),
      offline: (userId) => this.#presence.note(userId),
    })
    engine.listen({
      ended: (runner, end) => {
        if (end.kind === 'outcome') this.#end(runner, { status: 'finished', outcome: end.outcome, endReason: null })
        else {
          log.engine.error({ err: end.error, matchId: runner.matchId }, `a match was aborted: ${end.reason}`)
          this.#end(runner, { status: 'aborted', endReason: end.reason })
        }
      },
    })
  }

  start(): void {
    this.#startedAt = Date.now()
    this.#round = setInterval(() => this.#lookAround(Date.now()), ROUND_MS)
    const { emptyMs } = this.#platform.config.matches
    const sweep = () => {
      if (!this.#work.has('sweep')) this.#work.add('sweep', () => this.#sweepAll())
    }
    this.#sweep = setInterval(sweep, Math.min(SWEEP_MS, emptyMs))
    sweep()
  }

  /** Breaks off what is live here, so that no player is left in a match that nobody runs. Never rejects. */
  async stop(): Promise<void> {
    clearInterval(this.#round)
    clearInterval(this.#sweep)
    this.#countdowns.stop()
    this.#leaves.unsubscribe()
    this.#stopping.abort()
    for (const { runner } of this.#live.values()) this.#engine.halt(runner.matchId)
    const log = this.#platform.log.matches
    const settled = this.#settle().catch((error: unknown) => {
      log.warn({ err: error }, 'not every match could be broken off; they are when a process finds this one gone')
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_MS)
    })
    await Promise.race([settled, late])
    clearTimeout(timer)
  }

  /** The matches of dead processes are over. Called by the lease, which knows which those are. */
  buryOrphans(): Promise<void> {
    return endOrphaned(this.#platform, this.#service)
  }

  /** Stops a match and commits its end. */
  #end(runner: MatchRunner, ending: Ending): void {
    const live = this.#live.get(runner.matchId)
    if (!live || live.ending) return
    live.ending = true
    this.#engine.halt(runner.matchId)
    this.#work.add(runner.matchId, async () => {
      try {
        await commitEnding(this.#platform, this.#service, runner, ending, this.#stopping.signal)
      } finally {
        // Where even this failed, nobody plays on here; the next sweep finds what is stored.
        if (this.#live.get(runner.matchId) === live) this.#forget(runner.matchId)
      }
    })
  }

  /** What is under way comes first: an ending that is being committed has a result. */
  async #settle(): Promise<void> {
    await Promise.all([this.#presence.stop(), this.#work.idle(), this.#scores.idle()])
    await endOwn(this.#platform, this.#service)
  }

  #noteChange(match: Match): void {
    const isCounting = match.status === 'waiting' && match.startsAt !== null && !this.#stopping.signal.aborted
    if (isCounting && match.startsAt !== null) this.#countdowns.set(match.id, match.startsAt)
    else this.#countdowns.delete(match.id)
    const live = this.#live.get(match.id)
    if (!live || match.version <= live.match.version) return
    live.match = match
    if (match.status !== 'live') this.#forget(match.id)
    else for (const { seat, userId, connected } of match.players) this.#noteSeat(live, seat, userId, connected)
  }

  #noteSeat({ runner }: Live, seat: number, userId: string | null, connected: boolean): void {
    if (userId === null) return
    if (connected) this.#absences.end(runner.matchId, seat)
    else if (this.#absences.begin(runner.matchId, seat, Date.now())) runner.release(seat)
  }

  #forget(matchId: string): void {
    this.#live.delete(matchId)
    this.#absences.forget(matchId)
    this.#engine.remove(matchId)
  }

  async #launch(matchId: string): Promise<void> {
    if (this.#stopping.signal.aborted || this.#live.has(matchId)) return
    await launch(this.#platform, this.#service, matchId, (match, seed) => this.#run(match, seed))
  }

  #run(match: Match, seed: number): void {
    try {
      if (!isGameName(match.game)) throw new Error(`no such game: ${match.game}`)
      const runner = this.#engine.start({
        matchId: match.id,
        game: games[match.game],
        seed,
        options: splitOptions(match.options).rules,
        botSeats: match.players.filter(({ userId }) => userId === null).map(({ seat }) => seat),
      })
      this.#live.set(match.id, { runner, match, lastTick: 0, lastTurnAt: Date.now(), ending: false })
    } catch (error) {
      this.#platform.log.engine.error({ err: error, matchId: match.id }, 'a match could not begin')
      this.#work.add(match.id, () => this.#giveUp(match.id))
    }
  }

  async #giveUp(matchId: string): Promise<void> {
    if (!this.#live.has(matchId)) await giveUp(this.#platform, this.#service, matchId)
  }

  /** The user leaves a live match: who remains wins. */
  #forfeit({ matchId, userId }: Leave): void {
    const live = this.#live.get(matchId)
    if (!live) return
    const seats = live.match.players.filter((player) => player.userId === userId).map(({ seat }) => seat)
    if (seats.length > 0) this.#settleWithout(live, seats)
  }

  #lookAround(now: number): void {
    const scored: Scored[] = []
    for (const live of this.#live.values()) {
      if (live.ending) continue
      const { runner, match } = live
      try {
        const scores = runner.game.scores(runner.state)
        if (match.players.some(({ seat, score }) => score !== scores[seat])) {
          scored.push({ matchId: match.id, scores: [...scores] })
        }
        this.#checkAbsent(live, now)
        this.#checkTurn(live, now)
      } catch (error) {
        this.#platform.log.engine.error({ err: error, matchId: match.id }, 'a match could not be looked at')
        this.#end(runner, { status: 'aborted', endReason: 'failed' })
      }
    }
    this.#scores.offer(scored, now)
  }

  #checkTurn(live: Live, now: number): void {
    const { runner } = live
    if (runner.game.tickRate > 0) return
    if (runner.tick !== live.lastTick) {
      live.lastTick = runner.tick
      live.lastTurnAt = now
    } else if (now - live.lastTurnAt > this.#platform.config.matches.maxTurnMs) {
      this.#end(runner, { status: 'aborted', endReason: 'too-long' })
    }
  }

  /** Who has been away for too long loses. While the others are away too, who comes back in time wins. */
  #checkAbsent(live: Live, now: number): void {
    const { overdue, away } = this.#absences.of(live.match.id, now)
    if (overdue.length === 0) return
    const isSomebodyThere = live.match.players.length > overdue.length + away.length
    if (isSomebodyThere || away.length === 0) this.#settleWithout(live, overdue)
  }

  /** The match goes on while there are two besides `gone`; the last one wins, and with nobody there is no result. */
  #settleWithout({ runner, match }: Live, gone: readonly number[]): void {
    const [winner, ...others] = match.players.filter(({ seat }) => !gone.includes(seat))
    if (others.length > 0) return
    if (!winner) this.#end(runner, { status: 'aborted', endReason: 'left' })
    else {
      const scores = [...runner.game.scores(runner.state)]
      this.#end(runner, { status: 'finished', outcome: { winnerSeat: winner.seat, scores }, endReason: 'forfeit' })
    }
  }

  async #sweepAll(): Promise<void> {
    const { log } = this.#platform
    if (this.#stopping.signal.aborted) return
    try {
      await endAbandoned(this.#platform, this.#service, Date.now() - this.#startedAt)
      for (const matchId of await findOverdue(this.#platform)) this.#work.add(matchId, () => this.#launch(matchId))
      await this.#presence.heal()
      await this.#compare()
    } catch (error) {
      if (!isUnavailable(error)) throw error
      log.matches.warn({ err: error }, 'matches could not be swept')
    }
  }

  /** Holds what runs here against what the database says runs here, and where the players are. */
  async #compare(): Promise<void> {
    const held = [...this.#live.values()]
    const stored = new Map((await findOwnLive(this.#platform)).map((own) => [own.id, own]))
    for (const live of held) {
      const own = stored.get(live.match.id)
      // Others ended it, because for them this process seemed dead.
      if (!own) this.#end(live.runner, { status: 'aborted', endReason: 'node-lost' })
      else this.#noteSeatsElsewhere(live, own.away)
    }
    for (const { id, settled } of stored.values()) {
      if (settled && !this.#live.has(id) && !this.#work.has(id)) this.#work.add(id, () => this.#giveUp(id))
    }
  }

  /** Who is on another process is noted by that one, which does not tell this one. */
  #noteSeatsElsewhere(live: Live, away: readonly number[]): void {
    for (const { seat, userId } of live.match.players) {
      if (userId === null || this.#platform.connections.isOnline(userId)) continue
      this.#noteSeat(live, seat, userId, !away.includes(seat))
    }
  }
}
