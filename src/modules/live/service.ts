import type { Engine, MatchRunner } from '../../engine/index.ts'
import type { AnyGame } from '../../games/game.ts'
import { games, isGameName } from '../../games/index.ts'
import { type Channel, channel, RpcError } from '../../rpc/index.ts'
import type { Platform, Scope } from '../context.ts'
import { toIssuesUnder } from '../issues.ts'
import type { MatchKeeper, MatchService } from '../matches/index.ts'
import type { Match } from '../matches/types.ts'
import type { MatchId } from '../wire.ts'
import type { LiveFrame } from './types.ts'

export interface LiveInput {
  readonly matchId: MatchId
  readonly input: unknown
  readonly seat?: number | undefined
  readonly tick?: number | undefined
}

/** Carries inputs to live matches, and their states to who follows them. */
export class LiveService {
  readonly #platform: Platform
  readonly #engine: Engine
  readonly #keeper: MatchKeeper
  /** The channels of a match in mode `state`, by frames a second. */
  readonly #feeds = new Map<string, Map<number, Channel<LiveFrame>>>()

  constructor(platform: Platform, engine: Engine, keeper: MatchKeeper, matches: MatchService) {
    this.#platform = platform
    this.#engine = engine
    this.#keeper = keeper
    engine.listen({ stepped: (runner) => this.#publish(runner) })
    keeper.onEnd((match, runner) => this.#publishEnd(runner, match.status))
    matches.onChange((match) => this.#noteChange(match))
  }

  /**
   * Hands a player's input to the match.
   *
   * @throws RpcError NOT_LIVE, NOT_SEATED, or VALIDATION_FAILED for an input that the game does not know.
   */
  input(userId: string, { matchId, input, seat, tick }: LiveInput): void {
    const runner = this.#engine.get(matchId)
    const match = runner && this.#keeper.live(matchId)
    if (!runner || !match) throw new RpcError('NOT_LIVE', 'This match is not being played')
    const own = match.players.find((player) => player.userId === userId && (seat === undefined || player.seat === seat))
    if (!own) throw new RpcError('NOT_SEATED', 'You have no such seat in this match')
    const parsed = runner.game.input.safeParse(input)
    if (!parsed.success) {
      throw new RpcError('VALIDATION_FAILED', 'The input is not valid', {
        issues: toIssuesUnder('input', parsed.error),
      })
    }
    runner.input(own.seat, parsed.data, tick)
  }

  /** The state as it is, and the channel of its frames; null when there is no such match. */
  async open(scope: Scope, { matchId, rate }: { matchId: MatchId; rate: number }) {
    const running = this.#frameOfRunning(matchId)
    if (running) return { channel: this.#feed(matchId, rate), seq: running.tick, snapshot: running }
    const row = await scope.db.match.findUnique({ where: { id: matchId }, omit: { inputs: true } })
    if (!row || !isGameName(row.game)) return null
    // It may have begun while the row was read.
    const begun = this.#frameOfRunning(matchId)
    if (begun) return { channel: this.#feed(matchId, rate), seq: begun.tick, snapshot: begun }
    const { status, ticks, finalState } = row
    const tick = ticks ?? 0
    const game: AnyGame = games[row.game]
    const state = finalState ?? game.init({ seed: row.seed, options: row.options })
    const stream = status === 'waiting' ? this.#feed(matchId, rate) : frameChannel(matchId, rate)
    return { channel: stream, seq: finalState === null ? tick : tick + 1, snapshot: { tick, state, status } }
  }

  #frameOfRunning(matchId: string): LiveFrame | null {
    const runner = this.#engine.get(matchId)
    return runner ? { tick: runner.tick, state: runner.state, status: 'live' } : null
  }

  /** The channel of this rate, to which frames go from now on. */
  #feed(matchId: string, rate: number): Channel<LiveFrame> {
    const rates = this.#feeds.get(matchId) ?? new Map<number, Channel<LiveFrame>>()
    this.#feeds.set(matchId, rates)
    const stream = rates.get(rate) ?? frameChannel(matchId, rate)
    rates.set(rate, stream)
    return stream
  }

  /** A match that ended before it began has no frames to tell it by. */
  #noteChange(match: Match): void {
    if (match.status !== 'aborted' || this.#engine.get(match.id)) return
    for (const stream of this.#feeds.get(match.id)?.values() ?? []) this.#platform.hub.end(stream, match.status)
    this.#feeds.delete(match.id)
  }

  #publish(runner: MatchRunner): void {
    const rates = this.#feeds.get(runner.matchId)
    if (!rates) return
    const { tickRate } = runner.game
    for (const [rate, stream] of rates) {
      if (tickRate > 0 && !isFrame(runner.tick, rate, tickRate)) continue
      if (this.#platform.hub.isFollowed(stream)) this.#send(stream, runner, 'live', runner.tick)
      else rates.delete(rate)
    }
  }

  /** The last frame: its `seq` is one more than its tick, so that it follows the frame of that tick. */
  #publishEnd(runner: MatchRunner, status: LiveFrame['status']): void {
    for (const stream of this.#feeds.get(runner.matchId)?.values() ?? []) {
      this.#send(stream, runner, status, runner.tick + 1)
    }
    this.#feeds.delete(runner.matchId)
  }

  #send(stream: Channel<LiveFrame>, runner: MatchRunner, status: LiveFrame['status'], seq: number): void {
    this.#platform.hub.publish(stream, seq, { tick: runner.tick, state: runner.state, status })
  }
}

function frameChannel(matchId: string, rate: number): Channel<LiveFrame> {
  return channel('live.onState', `${matchId}/state/${rate}`)
}

/** Whether `rate` frames a second, evenly spread over ticks, have one at this tick. */
function isFrame(tick: number, rate: number, tickRate: number): boolean {
  return Math.floor((tick * rate) / tickRate) !== Math.floor(((tick - 1) * rate) / tickRate)
}
