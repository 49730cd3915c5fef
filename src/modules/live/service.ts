import type { Engine, MatchRunner } from '../../engine/index.ts'
import { type AnyGame, gameOf } from '../../games/game.ts'
import { type LiveInputFrame, resolveTick } from '../../protocol/live-frames.ts'
import { type Connection, isStorableJson, type Opened, RpcError } from '../../rpc/index.ts'
import { matchService, splitOptions } from '../matches/index.ts'
import type { Match } from '../matches/types.ts'
import { type Platform, service } from '../platform.ts'
import type { Scope } from '../scope.ts'
import type { MatchId } from '../wire.ts'
import { invalidInput, ownSeat, playing, toInput } from './check-input.ts'
import { DelayedView } from './delayed-view.ts'
import { inputsChannel, stateChannel, stateSeq } from './frame-publisher.ts'
import { LiveMatch } from './live-match.ts'
import { PlayingUsers } from './playing-users.ts'
import { readReplay } from './read-replay.ts'
import { SeatHolders } from './seat-holders.ts'
import { type MatchRules, snapshotAtRest, snapshotOfRunner, snapshotOfView } from './snapshots.ts'
import { type StoredMatch, storedMatches, withheldMs } from './stored-match.ts'
import { StreamNumbers } from './stream-numbers.ts'
import type { LiveFrame, LiveInputsSnapshot, Replay, StateRate } from './types.ts'

export interface LiveInput {
  readonly matchId: MatchId
  readonly input: unknown
  readonly seat?: number | undefined
  readonly tick?: number | undefined
}

export interface Following {
  readonly matchId: MatchId
  readonly mode: 'state' | 'inputs'
  readonly rate: StateRate
}

type Opening = Opened<LiveFrame, LiveFrame | LiveInputsSnapshot>

const COLLECT_EVERY_MS = 10_000
/** A match that waits and that nobody follows is forgotten after this. */
const FORGET_MS = 30_000

/** Carries inputs to live matches, and what happens in them to who follows them. */
export class LiveService {
  readonly #platform: Platform
  readonly #engine: Engine
  readonly #matches = new Map<string, LiveMatch>()
  readonly #streams = new StreamNumbers<LiveMatch>()
  readonly #holders = new SeatHolders()
  readonly #playing = new PlayingUsers()
  readonly #stored: (matchId: string) => Promise<StoredMatch | undefined>
  /** Times are monotonic, ms. */
  #collectedAt = 0

  constructor(platform: Platform) {
    const { engine } = platform
    this.#platform = platform
    this.#engine = engine
    this.#stored = storedMatches(platform.database.sql)
    engine.listen({
      started: (runner) => this.#begin(runner),
      stepped: (runner) => this.#step(runner),
      changed: (runner, tick, seat, input, moved) => this.#change(runner, tick, seat, input, moved),
      keyframe: (runner, frame) => this.#matches.get(runner.matchId)?.prompt.keyframe(frame),
    })
    platform.use(matchService).onChange((match) => this.#noteMatch(match))
    platform.connections.onClose((connection) => this.#holders.letGo(connection))
  }

  /** Whether the user has a seat in a match that is live here. */
  isPlaying(userId: string): boolean {
    return this.#playing.has(userId)
  }

  /**
   * Hands a player's input to the match. It holds until the next one, or until its `connection` is gone, if it came by
   * one.
   *
   * @throws RpcError NOT_LIVE, NOT_SEATED, or VALIDATION_FAILED for an input that the game does not know.
   */
  input(userId: string, connection: Connection | null, { matchId, input, seat, tick }: LiveInput): void {
    const match = playing(this.#matches.get(matchId))
    const { runner, seats } = match
    const own = ownSeat(seats, userId, seat)
    runner.input(own, toInput(runner.game, input), tick)
    this.#holders.take(match, own, connection)
  }

  /** The same for an input that came in a binary frame. */
  inputFrame(userId: string, connection: Connection | null, frame: LiveInputFrame): void {
    const match = playing(this.#streams.get(frame.stream))
    const { runner, seats } = match
    const seat = ownSeat(seats, userId, frame.seat)
    runner.input(seat, this.#inputOf(runner.game, frame), resolveTick(frame.tickWord, runner.tick, 16))
    this.#holders.take(match, seat, connection)
  }

  #inputOf(game: AnyGame, frame: LiveInputFrame): unknown {
    if (frame.kind === 'json') {
      if (!isStorableJson(frame.input, this.#platform.config.limits.jsonDepth)) throw invalidInput()
      return toInput(game, frame.input)
    }
    const { inputs = [] } = game
    if (frame.index >= inputs.length) throw invalidInput()
    return inputs[frame.index]
  }

  /**
   * What there is to see now, and the channel of what comes; null when there is no such match, or when its end is not
   * kept any more.
   *
   * @throws RpcError UNAVAILABLE for a match that should run, but does not run here, and for one whose end is not shown
   * yet to those who do not play in it.
   */
  async open(following: Following, userId: string | null): Promise<Opening | null> {
    const running = this.#openRunning(following, userId)
    if (running) return running
    const row = await this.#stored(following.matchId)
    const game = row && gameOf(this.#platform.games, row.game)
    if (!game) return null
    // It may have begun while the row was read.
    const begun = this.#openRunning(following, userId)
    if (begun) return begun
    const { status, seed, rulesVersion } = row
    const { spectatorDelayMs, rules: options } = splitOptions(row.options)
    const rules = { game, seed, options, rulesVersion }
    if (status === 'live') throw new RpcError('UNAVAILABLE', 'This match does not run here', { retryAfterMs: 1000 })
    if (status !== 'waiting') {
      // Its end went with its replay.
      if (status === 'finished' && row.finalState === null) return null
      const retryAfterMs = withheldMs(row, row.seats, userId)
      if (retryAfterMs > 0) throw new RpcError('UNAVAILABLE', 'The end of this match is shown later', { retryAfterMs })
      return openEnded(following, rules, row)
    }
    const match = this.#add(row.id)
    match.delayMs = spectatorDelayMs
    if (match.seats.length === 0) match.setSeats(row.seats)
    return this.#openWaiting(match, following, rules, userId)
  }

  /**
   * What it takes to play a match again, from its change `from` on; null for one that was not finished, or not yet for
   * this user.
   */
  async replay(scope: Scope, match: Match, from: number, userId: string | null): Promise<Replay | null> {
    return withheldMs(match, match.players, userId) > 0 ? null : readReplay(scope, match, from)
  }

  #openRunning({ matchId, mode, rate }: Following, userId: string | null): Opening | null {
    const match = this.#matches.get(matchId)
    if (!match?.runner) return null
    const { runner, view, stream } = match
    const isDelayed = match.isDelayedFor(userId)
    if (isDelayed ? !view : match.end) return null
    const publisher = match.publisherFor(userId)
    if (mode === 'inputs') {
      const snapshot = isDelayed && view ? snapshotOfView(runner, view, stream) : snapshotOfRunner(runner, stream)
      return { channel: publisher.inputs, seq: publisher.seq, snapshot }
    }
    const status = isDelayed && view ? view.status : 'live'
    const { tick, state } = isDelayed && view ? view.frame : runner
    const snapshot = { tick, state, status } as const
    const channel = publisher.states(rate, snapshot)
    match.watchSteps()
    return { channel, seq: stateSeq(tick, status, runner.game.tickRate), snapshot }
  }

  #openWaiting(match: LiveMatch, { mode, rate }: Following, rules: MatchRules, userId: string | null): Opening {
    const { game, seed, options } = rules
    const publisher = match.publisherFor(userId)
    const at = { tick: 0, state: game.init({ seed, options }) }
    const status = 'waiting'
    if (mode === 'state') {
      const snapshot = { ...at, status } as const
      return { channel: publisher.states(rate, snapshot), seq: 0, snapshot }
    }
    const isDelayed = match.isDelayedFor(userId)
    const rewindTicks = isDelayed ? 0 : this.#engine.rewindTicksOf(game)
    const delayMs = isDelayed ? match.delayMs : 0
    const snapshot = snapshotAtRest(rules, at, { status, stream: match.stream, rewindTicks, delayMs })
    return { channel: publisher.inputs, seq: publisher.seq, snapshot }
  }

  #add(matchId: string): LiveMatch {
    const now = performance.now()
    const known = this.#matches.get(matchId)
    if (known) {
      known.askedAt = now
      return known
    }
    this.#collect(now)
    const match = new LiveMatch(this.#platform.hub, matchId, (one) => this.#streams.add(one, now), now)
    this.#matches.set(matchId, match)
    return match
  }

  #remove(match: LiveMatch): void {
    this.#streams.delete(match.stream, performance.now())
    this.#matches.delete(match.matchId)
    this.#holders.forget(match)
  }

  /** Forgets matches that do not run here and that nobody follows any more. */
  #collect(now: number): void {
    if (now - this.#collectedAt < COLLECT_EVERY_MS) return
    this.#collectedAt = now
    for (const match of this.#matches.values()) {
      if (!match.runner && now - match.askedAt > FORGET_MS && !match.isFollowed) this.#remove(match)
    }
  }

  /** A match was written, and that is committed. */
  #noteMatch(match: Match): void {
    const isLive = match.status === 'live'
    const known = isLive ? this.#add(match.id) : this.#matches.get(match.id)
    if (!known || known.end) return
    if (match.status === 'finished' || match.status === 'aborted') this.#end(known, match.status)
    else if (known.setSeats(match.players) && !isLive && known.delayMs > 0) {
      // Who sees the match at once and who later is not as it was.
      known.prompt.close('behind')
      known.delayed.close('behind')
    }
    if (isLive) known.delayMs = splitOptions(match.options).spectatorDelayMs
    this.#playing.note(known)
  }

  #begin(runner: MatchRunner): void {
    const match = this.#add(runner.matchId)
    match.runner = runner
    this.#playing.note(match)
    match.watchSteps()
    match.prompt.start(runner, runner.game.tickRate)
    if (match.delayMs === 0) return
    const view = new DelayedView({
      runner,
      publisher: match.delayed,
      delayMs: match.delayMs,
      onDone: () => {
        this.#engine.clock.delete(view)
        match.view = null
        if (match.end) this.#remove(match)
      },
      onError: (error) => {
        this.#platform.log.engine.error({ err: error, matchId: runner.matchId }, 'a delayed view of a match failed')
      },
    })
    match.view = view
    this.#engine.clock.add(view, view.pace)
  }

  #step(runner: MatchRunner): void {
    const match = this.#matches.get(runner.matchId)
    match?.prompt.step(runner, runner.game.tickRate)
    match?.watchSteps()
  }

  #change(runner: MatchRunner, tick: number, seat: number, input: unknown, moved: number): void {
    const match = this.#matches.get(runner.matchId)
    match?.prompt.change(runner.game, tick, seat, input, moved)
    match?.view?.noteTurn()
  }

  #end(match: LiveMatch, status: 'finished' | 'aborted'): void {
    match.end = status
    const { runner, view } = match
    if (runner) match.prompt.end(runner, status, runner.game.tickRate)
    else match.prompt.close(status)
    if (view) view.end(status)
    else {
      match.delayed.close(status)
      this.#remove(match)
    }
  }
}

export const liveService = service('live', (platform) => new LiveService(platform))

/** A match that is over: nothing comes after this. */
function openEnded(
  { matchId, mode, rate }: Following,
  rules: MatchRules,
  { status, ticks, finalState }: StoredMatch,
): Opening {
  const { game, seed, options } = rules
  const at = { tick: ticks ?? 0, state: finalState ?? game.init({ seed, options }) }
  if (mode === 'state') {
    return {
      channel: stateChannel(matchId, rate, false, 0),
      seq: stateSeq(at.tick, status, game.tickRate),
      snapshot: { ...at, status },
      over: status,
    }
  }
  const snapshot = snapshotAtRest(rules, at, { status, stream: null, rewindTicks: 0, delayMs: 0 })
  return { channel: inputsChannel(matchId, false), seq: 0, snapshot, over: status }
}
