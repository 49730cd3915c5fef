import type { Engine, MatchRunner } from '../../engine/index.ts'
import { games, isGameName } from '../../games/index.ts'
import type { Platform, Scope } from '../context.ts'
import { inTransaction } from '../scope.ts'
import { Absences } from './absences.ts'
import { Countdowns } from './countdowns.ts'
import { commitEnding, type Ending } from './results.ts'
import type { MatchService } from './service.ts'
import { matchStore } from './store.ts'
import { endAbandoned, endOrphaned } from './sweeps.ts'
import type { Match } from './types.ts'

/** How often live matches are looked at for scores and absent players. */
const ROUND_MS = 250
const SWEEP_MS = 5_000

/** A live match that this process runs. */
interface Live {
  readonly runner: MatchRunner
  match: Match
  /** Scores as they were last written. */
  scores: readonly number[]
  lastTurnAt: number
  lastTick: number
  ending: boolean
}

/** A turn-based match in which nobody moves for this long is broken off. */
const MAX_TURN_MS = 5 * 60_000

/**
 * Brings matches to life and to their end: starts them when the countdown is over, notes who is there, writes scores
 * and results, and settles what drop-outs and dead processes leave behind.
 */
export class MatchKeeper {
  readonly #platform: Platform
  readonly #service: MatchService
  readonly #engine: Engine
  readonly #countdowns: Countdowns
  readonly #absences = new Absences()
  readonly #live = new Map<string, Live>()
  readonly #endListeners: ((match: Match, runner: MatchRunner) => void)[] = []
  /** Background work under way, by what it is about, so that work on one match or user has an order. */
  readonly #chains = new Map<string, Promise<void>>()
  readonly #stopping = new AbortController()
  #round: NodeJS.Timeout | undefined
  #sweep: NodeJS.Timeout | undefined

  constructor(platform: Platform, service: MatchService, engine: Engine) {
    this.#platform = platform
    this.#service = service
    this.#engine = engine
    this.#countdowns = new Countdowns((matchId) => this.#own(matchId, () => this.#launch(matchId)))
    service.onChange((match) => this.#noteChange(match))
    service.onLeaveLive((matchId, userId) => this.#forfeit(matchId, userId))
    platform.connections.onPresence({
      online: (userId) => this.#own(userId, () => this.#notePresence(userId)),
      offline: (userId) => this.#own(userId, () => this.#notePresence(userId)),
    })
    engine.listen({
      ended: (runner, end) => {
        if (end.kind === 'outcome') this.end(runner, { status: 'finished', outcome: end.outcome, endReason: null })
        else {
          platform.log.engine.error({ err: end.error, matchId: runner.matchId }, `a match was aborted: ${end.reason}`)
          this.end(runner, { status: 'aborted', endReason: end.reason })
        }
      },
    })
  }

  start(): void {
    this.#round = setInterval(() => this.#lookAround(Date.now()), ROUND_MS)
    this.#sweep = setInterval(() => this.#own('sweep', () => this.#sweepAll()), SWEEP_MS)
    this.#own('sweep', () => this.#sweepAll())
  }

  /** Breaks off what is live here, so that no player is left in a match that nobody runs. */
  async stop(): Promise<void> {
    clearInterval(this.#round)
    clearInterval(this.#sweep)
    this.#countdowns.stop()
    for (const { runner } of this.#live.values()) this.end(runner, { status: 'aborted', endReason: 'node-left' })
    this.#stopping.abort()
    while (this.#chains.size > 0) await Promise.all(this.#chains.values())
  }

  /** `listener` is told when the end of a match that ran here is committed. */
  onEnd(listener: (match: Match, runner: MatchRunner) => void): void {
    this.#endListeners.push(listener)
  }

  /** A match that runs here, as it was last written. */
  live(matchId: string): Match | undefined {
    return this.#live.get(matchId)?.match
  }

  /** The matches of dead processes are over. Called by the lease, which knows which those are. */
  buryOrphans(): Promise<void> {
    return endOrphaned(this.#platform, this.#service)
  }

  /** Stops a match and commits its end. */
  end(runner: MatchRunner, ending: Ending): void {
    const live = this.#live.get(runner.matchId)
    if (!live || live.ending) return
    live.ending = true
    this.#engine.halt(runner.matchId)
    this.#own(runner.matchId, async () => {
      try {
        const match = await commitEnding(this.#platform, this.#service, runner, ending, this.#stopping.signal)
        const ended = match ?? { ...live.match, status: 'aborted' as const }
        for (const listener of this.#endListeners) listener(ended, runner)
      } finally {
        this.#live.delete(runner.matchId)
        this.#absences.forget(runner.matchId)
        this.#engine.remove(runner.matchId)
      }
    })
  }

  /** Runs `work` after what is under way under the same key; its failure is logged. */
  #own(key: string, work: () => Promise<void>): void {
    const before = this.#chains.get(key) ?? Promise.resolve()
    const chain: Promise<void> = before
      .then(work)
      .catch((error: unknown) => {
        this.#platform.log.matches.error({ err: error, key }, 'background work on matches failed')
      })
      .finally(() => {
        if (this.#chains.get(key) === chain) this.#chains.delete(key)
      })
    this.#chains.set(key, chain)
  }

  #noteChange(match: Match): void {
    if (match.status === 'waiting' && match.startsAt !== null) this.#countdowns.set(match.id, match.startsAt)
    else this.#countdowns.delete(match.id)
    const live = this.#live.get(match.id)
    if (live && match.version > live.match.version) live.match = match
  }

  /** Writes down whether a user is here, in each of their matches that are not over. */
  async #notePresence(userId: string): Promise<void> {
    const { database } = this.#platform
    const plain: Scope = { db: database.db, afterCommit: (effect) => effect() }
    for (const matchId of await matchStore.active(plain, userId)) {
      await inTransaction(this.#platform, async (scope) => {
        const row = await matchStore.lock(scope, matchId)
        const { connected, nodeId } = this.#service.presence(userId)
        const own = row?.seats.filter((seat) => seat.userId === userId && seat.nodeId !== nodeId) ?? []
        // Gone from here, but to be found at another node: that one's word counts.
        const isElsewhere = !connected && own.every((seat) => seat.nodeId !== this.#platform.node)
        if (!row || own.length === 0 || isElsewhere) return
        await scope.db.seat.updateMany({ where: { matchId, userId }, data: { connected, nodeId } })
        this.#service.announce(scope, await matchStore.save(scope, row))
        scope.afterCommit(() =>
          this.#noteSeats(
            matchId,
            own.map(({ seat }) => seat),
            connected,
          ),
        )
      })
    }
  }

  #noteSeats(matchId: string, seats: readonly number[], connected: boolean): void {
    const live = this.#live.get(matchId)
    if (!live) return
    for (const seat of seats) {
      if (connected) this.#absences.end(matchId, seat)
      else {
        this.#absences.begin(matchId, seat, Date.now())
        live.runner.release(seat)
      }
    }
  }

  /** The countdown is over: takes the match and runs it. */
  async #launch(matchId: string): Promise<void> {
    if (this.#stopping.signal.aborted) return
    await inTransaction(this.#platform, async (scope) => {
      const row = await matchStore.lock(scope, matchId)
      if (row?.status !== 'waiting' || row.startsAt === null || row.startsAt.getTime() > Date.now()) return
      const saved = await matchStore.save(scope, row, {
        status: 'live',
        startedAt: new Date(),
        nodeId: this.#platform.node,
        fence: { increment: 1 },
      })
      const match = this.#service.announce(scope, saved)
      scope.afterCommit(() => this.#run(match, row.seed))
    })
  }

  #run(match: Match, seed: number): void {
    if (!isGameName(match.game)) throw new Error(`no such game: ${match.game}`)
    const runner = this.#engine.start({
      matchId: match.id,
      game: games[match.game],
      seed,
      options: match.options,
      botSeats: match.players.filter(({ userId }) => userId === null).map(({ seat }) => seat),
    })
    const scores = match.players.map(({ score }) => score)
    this.#live.set(match.id, { runner, match, scores, lastTick: 0, lastTurnAt: Date.now(), ending: false })
    for (const { seat, userId } of match.players) {
      if (userId !== null && !this.#platform.connections.isOnline(userId)) this.#noteSeats(match.id, [seat], false)
    }
  }

  /** The user leaves a live match: who remains wins. */
  #forfeit(matchId: string, userId: string): void {
    const live = this.#live.get(matchId)
    if (!live) return
    const seats = live.match.players.filter((player) => player.userId === userId).map(({ seat }) => seat)
    this.#settleWithout(live, seats, 'forfeit')
  }

  #lookAround(now: number): void {
    const scored: Live[] = []
    for (const live of this.#live.values()) {
      if (live.ending) continue
      const { runner, scores } = live
      const points = runner.game.scores(runner.state)
      if (points.some((score, seat) => score !== scores[seat])) scored.push(live)
      const gone = this.#absences.overdue(runner.matchId, now)
      if (gone.length > 0) this.#settleWithout(live, gone, 'forfeit')
      this.#checkTurn(live, now)
    }
    if (scored.length > 0) this.#own('scores', () => this.#writeScores(scored))
  }

  #checkTurn(live: Live, now: number): void {
    if (live.runner.game.tickRate > 0) return
    if (live.runner.tick !== live.lastTick) {
      live.lastTick = live.runner.tick
      live.lastTurnAt = now
    } else if (now - live.lastTurnAt > MAX_TURN_MS) this.end(live.runner, { status: 'aborted', endReason: 'too-long' })
  }

  /** The match ends because `gone` are not there: the one seat that remains wins, else nobody. */
  #settleWithout(live: Live, gone: readonly number[], endReason: string): void {
    const { runner, match } = live
    const present = match.players.filter(
      ({ seat, userId }) => !gone.includes(seat) && (userId === null || !this.#absences.isAbsent(match.id, seat)),
    )
    const [winner] = present
    if (present.length !== 1 || !winner) this.end(runner, { status: 'aborted', endReason: 'left' })
    else {
      const scores = [...runner.game.scores(runner.state)]
      this.end(runner, { status: 'finished', outcome: { winnerSeat: winner.seat, scores }, endReason })
    }
  }

  /** Writes the scores of several matches, each in a short transaction of its own. */
  async #writeScores(scored: readonly Live[]): Promise<void> {
    for (const live of scored) {
      const { runner } = live
      if (live.ending) continue
      const points = [...runner.game.scores(runner.state)]
      await inTransaction(this.#platform, async (scope) => {
        const row = await matchStore.lock(scope, runner.matchId)
        if (row?.status !== 'live') return
        for (const [seat, score] of points.entries()) {
          if (row.seats.some((taken) => taken.seat === seat && taken.score !== score)) {
            await scope.db.seat.updateMany({ where: { matchId: row.id, seat }, data: { score } })
          }
        }
        this.#service.announce(scope, await matchStore.save(scope, row))
        scope.afterCommit(() => {
          live.scores = points
        })
      })
    }
  }

  async #sweepAll(): Promise<void> {
    const overdue = await endAbandoned(this.#platform, this.#service)
    for (const matchId of overdue) this.#own(matchId, () => this.#launch(matchId))
  }
}
