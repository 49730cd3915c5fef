import type { Engine, MatchRunner } from '../../engine/index.ts'
import { gameOf } from '../../games/game.ts'
import { decodeInput, type LiveInputFrame, resolveTick } from '../../protocol/live-frames.ts'
import { type Connection, RpcError } from '../../rpc/index.ts'
import { matchService, splitOptions } from '../matches/index.ts'
import type { Match } from '../matches/types.ts'
import { type Platform, service } from '../platform.ts'
import { inputOfFrame, notLive, ownSeat, playing, type RunningMatch, toInput } from './check-input.ts'
import { DelayedView } from './delayed-view.ts'
import { FramePublisher, matchOf } from './frame-publisher.ts'
import { type LiveMatch, LiveMatches, type SeatOf } from './live-matches.ts'
import { type Following, type Opening, openElsewhere, openEnded, openRunning, openWaiting } from './openings.ts'
import { type Announcement, OtherNodes } from './other-nodes.ts'
import { SeatHolders } from './seat-holders.ts'
import { Spectators } from './spectators.ts'
import { type StoredMatch, storedMatches, withheldMs } from './stored-match.ts'
import type { LiveInput } from './types.ts'

/** How often the row is read of a match that is stored as live, but does not run where the row says. */
const MAX_READS = 2

/** Carries inputs to live matches, and frames from them to their followers, on all nodes. */
export class LiveService {
  readonly spectators: Spectators
  readonly #platform: Platform
  readonly #engine: Engine
  readonly #holders = new SeatHolders()
  readonly #matches: LiveMatches
  readonly #others: OtherNodes
  readonly #stored: (matchId: string) => Promise<StoredMatch | undefined>

  constructor(platform: Platform) {
    const { engine } = platform
    this.#platform = platform
    this.#engine = engine
    this.#stored = storedMatches(platform.database.sql)
    this.#matches = new LiveMatches(platform.hub, (match) => this.#holders.forget(match))
    this.spectators = new Spectators(platform, this.#matches)
    this.#others = new OtherNodes(platform, {
      matches: this.#matches,
      holders: this.#holders,
      input: (userId, socket, input) => this.#inputHere(userId, socket, input),
      frame: (userId, socket, matchId, bytes) => {
        const frame = decodeInput(bytes)
        if (frame) this.#frameHere(playing(this.#matches.get(matchId)), userId, socket, frame)
      },
      announced: (announcement) => this.#noteAnnouncement(announcement),
    })
    engine.listen({
      started: (runner) => this.#begin(runner),
      stepped: (runner) => {
        const match = this.#matches.get(runner.matchId)
        match?.prompt.step(runner, runner.game.tickRate)
        match?.watchSteps()
      },
      changed: (runner, tick, seat, input, moved) => {
        const match = this.#matches.get(runner.matchId)
        match?.prompt.change(runner.game, tick, seat, input, moved)
        match?.view?.noteTurn()
      },
      keyframe: (runner, frame) => this.#matches.get(runner.matchId)?.prompt.keyframe(frame),
    })
    platform.use(matchService).feed.onChange((match) => this.#noteMatch(match))
    platform.connections.onClose(({ id }) => this.#holders.release(id))
  }

  /** Whether the user has a seat in a match that is live, as far as this node knows. */
  isPlaying(userId: string): boolean {
    return this.#matches.isPlaying(userId)
  }

  /** A socket of a player or a follower of a live match. */
  keepsSocket({ caller, following }: Connection): boolean {
    if (caller.user !== null && this.isPlaying(caller.user.id)) return true
    for (const { channel } of following.values()) {
      const matchId = matchOf(channel)
      if (matchId !== null && this.#matches.get(matchId)?.isLive) return true
    }
    return false
  }

  /**
   * Gives a player's input to the match, until the next one or the end of `connection`. A promise for one on another node.
   *
   * @throws RpcError NOT_LIVE, NOT_SEATED, or VALIDATION_FAILED for an input that the game does not know.
   */
  input(userId: string, connection: Connection | null, input: LiveInput): Promise<void> | undefined {
    if (!this.#matches.get(input.matchId)?.runner) return this.#inputElsewhere(userId, connection, input)
    this.#inputHere(userId, connection?.id ?? null, input)
    return undefined
  }

  /** The same for a binary frame, whose bytes are lent until this returns; false if it is none. */
  inputFrame(userId: string, connection: Connection, bytes: Uint8Array): boolean | Promise<void> {
    const frame = decodeInput(bytes)
    if (!frame) return false
    const match = this.#matches.byStream(frame.stream)
    if (match?.runner) this.#frameHere(playing(match), userId, connection.id, frame)
    else if (match?.owner) this.#others.frame(match.owner, userId, connection, match.matchId, bytes)
    else if (match) return this.#frameElsewhere(match.matchId, userId, connection, frame, new Uint8Array(bytes))
    else throw notLive()
    return true
  }

  /**
   * The current state and the channel of what follows; null when there is no such match, or when its end is deleted.
   *
   * @throws RpcError UNAVAILABLE if its node cannot be reached, or spectators may not see its end yet
   */
  async open(following: Following, userId: string | null): Promise<Opening | null> {
    const { matchId } = following
    for (let reads = 1; reads <= MAX_READS; reads++) {
      const running = openRunning(this.#matches.get(matchId), following, userId)
      if (running) return running
      const row = await this.#stored(matchId)
      const game = row && gameOf(this.#platform.games, row.game)
      if (!game) return null
      // The match may have begun while the row was read.
      const begun = openRunning(this.#matches.get(matchId), following, userId)
      if (begun) return begun
      const { spectatorDelayMs, rules: options } = splitOptions(row.options)
      const rules = { game, seed: row.seed, options, rulesVersion: row.rulesVersion }
      if (row.status === 'waiting') {
        const match = this.#matches.add(row.id)
        // It has begun on another node while the row was read.
        if (match.owner !== null) continue
        match.delayMs = spectatorDelayMs
        this.#noteSeats(match, row.seats)
        return openWaiting(match, following, rules, this.#engine.rewindTicksOf(game), userId)
      }
      const retryAfterMs = withheldMs(row, row.seats, userId)
      if (row.status === 'live' || retryAfterMs > 0) {
        const opened = await this.#openElsewhere(row, following, userId)
        if (opened) return opened
      }
      if (retryAfterMs > 0) throw new RpcError('UNAVAILABLE', 'The end of this match is shown later', { retryAfterMs })
      if (row.status === 'live') continue
      // Its last state was deleted with its replay.
      return row.status === 'finished' && row.finalState === null ? null : openEnded(following, rules, row)
    }
    throw new RpcError('UNAVAILABLE', 'The node that runs this match cannot be reached', { retryAfterMs: 1000 })
  }

  // Matches that run here

  #inputHere(userId: string, socket: string | null, { matchId, input, seat, tick }: LiveInput): void {
    const match = playing(this.#matches.get(matchId))
    const { runner, seats } = match
    const own = ownSeat(seats, userId, seat)
    runner.input(own, toInput(runner.game, input), tick)
    this.#holders.take(match, own, socket)
  }

  #frameHere(match: RunningMatch, userId: string, socket: string, frame: LiveInputFrame): void {
    const { runner, seats } = match
    const seat = ownSeat(seats, userId, frame.seat)
    const input = inputOfFrame(runner.game, frame, this.#platform.config.limits.jsonDepth)
    runner.input(seat, input, resolveTick(frame.tickWord, runner.tick, 16))
    this.#holders.take(match, seat, socket)
  }

  #begin(runner: MatchRunner): void {
    const match = this.#matches.add(runner.matchId)
    match.runner = runner
    match.owner = null
    this.#matches.countPlayers(match)
    this.#others.announce(match.matchId, 'live', match.seats)
    match.prompt.start(runner, runner.game.tickRate)
    match.watchSteps()
    if (match.delayMs === 0) return
    const { engine: log } = this.#platform.log
    const onError = (err: unknown) => log.error({ err, matchId: runner.matchId }, 'a delayed view of a match failed')
    const onDone = () => {
      this.#engine.clock.delete(view)
      match.view = null
      if (match.end) this.#matches.remove(match)
    }
    const { delayed: publisher, delayMs } = match
    const view = new DelayedView({ runner, publisher, delayMs, onDone, onError })
    match.view = view
    this.#engine.clock.add(view, view.pace)
  }

  /** Called after this node has committed a change of a match. */
  #noteMatch({ id, status, players, options }: Match): void {
    if (status === 'finished' || status === 'aborted') {
      this.#end(id, status)
      return
    }
    const { spectatorDelayMs } = splitOptions(options)
    if (status === 'waiting') {
      if (spectatorDelayMs > 0) this.#others.announce(id, 'waiting', players)
      this.#noteSeats(this.#matches.get(id), players)
      return
    }
    const match = this.#matches.add(id)
    match.delayMs = spectatorDelayMs
    this.#noteSeats(match, players)
    this.#matches.countPlayers(match)
  }

  /** Ends the streams of a delayed match with other players than its openings saw: who sees it at once has changed. */
  #noteSeats(match: LiveMatch | undefined, seats: readonly SeatOf[]): void {
    if (!match?.setSeats(seats) || match.delayMs === 0) return
    match.prompt.close('behind')
    match.delayed.close('behind')
  }

  #end(matchId: string, status: 'finished' | 'aborted'): void {
    const match = this.#matches.get(matchId)
    if (match?.end) return
    this.#others.announce(matchId, 'over', [])
    if (!match?.runner) {
      for (const isDelayed of [false, true]) new FramePublisher(this.#platform.hub, matchId, 0, isDelayed).close(status)
      if (match) this.#matches.remove(match)
      return
    }
    match.end = status
    this.#matches.countPlayers(match)
    match.prompt.end(match.runner, status, match.runner.game.tickRate)
    if (match.view) match.view.end(status)
    else {
      match.delayed.close(status)
      this.#matches.remove(match)
    }
  }

  // Matches that run on other nodes

  async #inputElsewhere(userId: string, connection: Connection | null, input: LiveInput): Promise<void> {
    const owner = await this.#ownerOf(input.matchId)
    if (connection?.closed) return
    if (owner === null) this.#inputHere(userId, connection?.id ?? null, input)
    else await this.#others.input(owner, userId, connection, input)
  }

  async #frameElsewhere(
    matchId: string,
    userId: string,
    connection: Connection,
    frame: LiveInputFrame,
    bytes: Uint8Array,
  ): Promise<void> {
    const owner = await this.#ownerOf(matchId)
    if (connection.closed) return
    if (owner === null) this.#frameHere(playing(this.#matches.get(matchId)), userId, connection.id, frame)
    else this.#others.frame(owner, userId, connection, matchId, bytes)
  }

  async #openElsewhere(row: StoredMatch, following: Following, userId: string | null): Promise<Opening | null> {
    if (row.node === null || !this.#platform.bus.nodes().includes(row.node)) return null
    const told = await this.#others.open(row.node, following, userId)
    if (!told) return null
    const match = this.#matches.add(row.id)
    match.delayMs = told.delayMs
    if (row.status === 'live') this.#matches.setOwner(match, row.node, told.seats)
    return openElsewhere(match, following, told)
  }

  /** The other node that runs a match; null when none does. */
  async #ownerOf(matchId: string): Promise<string | null> {
    const known = this.#matches.get(matchId)?.owner
    if (known) return known
    const { bus } = this.#platform
    if (bus.nodes().length === 0 || this.#matches.hasNoOwner(matchId)) return null
    const row = await this.#stored(matchId)
    if (row?.status !== 'live' || row.node === null || !bus.nodes().includes(row.node)) {
      this.#matches.noteNoOwner(matchId)
      return null
    }
    this.#matches.setOwner(this.#matches.add(matchId), row.node, row.seats)
    return row.node
  }

  #noteAnnouncement({ node, matchId, status, seats }: Announcement): void {
    const { connections } = this.#platform
    const isPlayedFromHere = seats.some(({ userId }) => userId !== null && connections.isOnline(userId))
    const match = status === 'live' && isPlayedFromHere ? this.#matches.add(matchId) : this.#matches.get(matchId)
    if (!match || match.runner) return
    if (status !== 'over') this.#noteSeats(match, seats)
    if (status !== 'waiting') this.#matches.setOwner(match, status === 'live' ? node : null, seats)
  }
}

export const liveService = service('live', (platform) => new LiveService(platform))
