import { type AnyGame, type Games, gameOf, type SchemaError } from '../../games/game.ts'
import { type Channel, type Opened, RpcError } from '../../rpc/index.ts'
import { toIssuesUnder } from '../issues.ts'
import { type Platform, service } from '../platform.ts'
import type { Scope } from '../scope.ts'
import type { MatchId } from '../wire.ts'
import { delayedMatchChannel, matchChannel, publishLeave } from './channels.ts'
import { type ListOrder, type ListPage, readCursor, toCursor } from './list-page.ts'
import { LobbyFeed, type LobbySnapshot } from './lobby.ts'
import { listMatches, matchReader, type PageOf, readByCode, readHistory } from './match-reads.ts'
import { type MatchRow, toMatch } from './match-row.ts'
import {
  type Arrival,
  countSeats,
  joinMatch,
  leaveMatch,
  type NewMatch,
  openMatch,
  readRematch,
  seatCountsOf,
  withdrawRematches,
} from './match-writes.ts'
import { MatchOptions, spectatorDelayOf } from './options.ts'
import { Reveals } from './reveals.ts'
import { hiddenMs, seenBySpectators } from './spectators.ts'
import type { JoinCode, Match, MatchMode, MatchStatus, Visibility } from './types.ts'

const DEFAULT_PAGE = 20
/** How often a request is tried that others were faster than: each time one of them got on. */
const MAX_TRIES = 100

export interface Creation {
  readonly game: string
  readonly mode: Exclude<MatchMode, 'ranked'>
  readonly visibility?: Visibility | undefined
  readonly options?: unknown
}

/** Told of every change of a match, once it is committed. */
export type MatchListener = (match: Match) => void

type MatchKey = { readonly matchId: MatchId } | { readonly code: JoinCode }

interface MatchFilter {
  readonly game?: string | undefined
  readonly status?: MatchStatus | undefined
}

interface Player {
  readonly id: string
  readonly username: string
}

/** Creating, joining, leaving and reading matches. What happens to them by itself is the lifecycle's. */
export class MatchService {
  readonly lobby: LobbyFeed
  readonly #platform: Platform
  readonly #read: (id: MatchId) => Promise<MatchRow | undefined>
  readonly #seatCounts: string
  readonly #reveals: Reveals
  readonly #listeners: MatchListener[] = []
  readonly #seatListeners: ((userId: string) => void)[] = []

  constructor(platform: Platform) {
    this.#platform = platform
    this.lobby = new LobbyFeed(platform)
    this.#seatCounts = seatCountsOf(platform.games)
    this.#read = matchReader(platform.database.sql)
    this.#reveals = new Reveals((matchId) => {
      platform.hub.end(delayedMatchChannel(matchId), 'behind')
      this.lobby.touch('soon')
    })
  }

  async stop(): Promise<void> {
    this.#reveals.stop()
    await this.lobby.stop()
  }

  /** `listener` runs on the node that made the change. */
  onChange(listener: MatchListener): void {
    this.#listeners.push(listener)
  }

  /** `listener` is told of who took a seat, but came or went since that was written. */
  onSeatOutdated(listener: (userId: string) => void): void {
    this.#seatListeners.push(listener)
  }

  /** @throws RpcError VALIDATION_FAILED for an unknown game or options that the game does not know, TOO_MANY_MATCHES. */
  async create(scope: Scope, user: Player, creation: Creation): Promise<Match> {
    const { mode, visibility = 'public' } = creation
    const game = this.#gameOf(creation.game)
    const options = toOptions(game, creation.options ?? {})
    const others = Array.from({ length: game.seats - 1 }, (_, index) => index + 1)
    const match = { game, mode, visibility, options, ownSeats: [0], botSeats: mode === 'bot' ? others : [] }
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const opened = await this.#open(scope, user, mode === 'local' ? { ...match, ownSeats: [0, ...others] } : match)
      if (opened) return opened
    }
    throw new Error('no free join code')
  }

  /**
   * Opens a match again that is over, with its seats kept for those who had them. Of several players who ask, the first
   * opens it and the others take their seats in it.
   *
   * @throws RpcError NOT_FOUND, FORBIDDEN for who did not play, NOT_FINISHED, TOO_MANY_MATCHES; MATCH_FULL and
   * MATCH_CLOSED as of `join`.
   */
  async rematch(scope: Scope, user: Player, matchId: MatchId): Promise<Match> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const found = await readRematch(scope.sql, matchId)
      if (!found) throw new RpcError('NOT_FOUND', 'There is no such match')
      const { row, openId } = found
      if (!hasSeat(row, user.id)) throw new RpcError('FORBIDDEN', 'You did not play in this match')
      if (isOpen(row.status)) throw new RpcError('NOT_FINISHED', 'This match is not over')
      const match = openId
        ? await this.#take(scope, user, { matchId: openId }).catch(nullIfClosed)
        : await this.#open(scope, user, rematchOf(row, user.id, this.#platform.games))
      if (match) return match
    }
    throw tooBusy()
  }

  /**
   * The match with this id, or the newest with this code, as this user sees it, or nobody in particular; null when there
   * is none.
   */
  async find(by: MatchKey, userId: string | null): Promise<Match | null> {
    const row = 'matchId' in by ? await this.#read(by.matchId) : await readByCode(this.#platform.database.sql, by.code)
    return row ? this.#seenBy(row, userId) : null
  }

  /** The match as this user sees it, and the channel of its changes; null when there is none. */
  async follow(matchId: MatchId, userId: string | null): Promise<Opened<Match, Match> | null> {
    const row = await this.#read(matchId)
    if (!row) return null
    const isPlayer = userId !== null && hasSeat(row, userId)
    // One time for both: an end that is hidden is always revealed later.
    const now = Date.now()
    const snapshot = this.#seenBy(row, userId, now)
    const isDelayed = !isPlayer && spectatorDelayOf(row.options) > 0
    if (isDelayed) this.#revealLater(row, now)
    const channel = isDelayed ? delayedMatchChannel(row.id) : matchChannel(row.id)
    return { channel, seq: snapshot.version, snapshot }
  }

  /**
   * Takes the lowest seat that is free for the user. Who sits there already is answered as if they had just come.
   *
   * @throws RpcError NOT_FOUND, MATCH_CLOSED once it has begun, MATCH_FULL, TOO_MANY_MATCHES.
   */
  async join(scope: Scope, user: Player, by: MatchKey): Promise<Match> {
    const match = await this.#take(scope, user, by)
    if (!match) throw new RpcError('NOT_FOUND', 'There is no such match')
    return match
  }

  /**
   * Gives up a seat. A match that waits goes on waiting, or ends with its last player. A live one is answered as it
   * is: that it is forfeited is settled where it runs, and comes as an update.
   *
   * @throws RpcError NOT_FOUND when there is no such match or the user has no seat in it.
   */
  async leave(scope: Scope, user: Player, matchId: MatchId): Promise<Match> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const left = await leaveMatch(scope.sql, matchId, user.id)
      if (!left?.isSeated) throw new RpcError('NOT_FOUND', 'You have no seat there')
      const { row, isChanged, isDone, before } = left
      if (before) this.announce(scope, before)
      if (isChanged) return this.#announceMove(matchChannel(matchId), scope, row)
      if (!isDone) continue
      // The process that runs it finds it in the row; this tells it at once.
      if (row.status === 'live') {
        scope.afterCommit(() => publishLeave(this.#platform.bus, { matchId, userId: user.id }))
      }
      return this.#toMatch(row)
    }
    throw tooBusy()
  }

  /** As `LobbyFeed.read`. @throws RpcError VALIDATION_FAILED for an unknown game. */
  async readLobby(game: string | undefined): Promise<LobbySnapshot> {
    return this.lobby.read(game === undefined ? undefined : this.#gameOf(game).name)
  }

  /** Public matches; with `player` those of theirs, also the private and local ones. */
  async list(page: ListPage & MatchFilter, player: Player | null) {
    const { sql } = this.#platform.database
    const { status } = page
    const games = page.game === undefined ? Object.keys(this.#platform.games) : [this.#gameOf(page.game).name]
    return this.#page(page, 'createdAt', player?.id ?? null, (rest) =>
      listMatches(sql, { ...rest, games, status }, player?.id ?? null),
    )
  }

  /** The finished matches of a player, last finished first; the private ones only for the player's own eyes. */
  async history(page: ListPage, username: string, viewer: Player) {
    const { sql } = this.#platform.database
    const isOwn = viewer.username === username
    return this.#page(page, 'finishedAt', viewer.id, (rest) => readHistory(sql, username, isOwn, rest))
  }

  /** Announces matches whose seats this transaction has changed, and starts or calls off their countdowns. */
  async seatsChanged(scope: Scope, ids: readonly string[]): Promise<void> {
    const { countdownMs } = this.#platform.config.matches
    const rows = await countSeats(scope.sql, ids, { countdownMs, seatCounts: this.#seatCounts })
    for (const row of rows) this.announce(scope, row)
  }

  /** Takes back the offers of rematches that this transaction has aborted. */
  async withdrawRematches(scope: Scope, ids: readonly string[]): Promise<void> {
    for (const row of await withdrawRematches(scope.sql, ids)) this.announce(scope, row)
  }

  /** Publishes a match as it was just written, once that is committed. */
  announce(scope: Scope, row: MatchRow): Match {
    const match = this.#toMatch(row)
    scope.afterCommit(() => {
      this.publish(match)
      // When it goes live is the last that spectators with a delay are told before its end may be seen.
      const now = Date.now()
      const isSeenByAll = hiddenMs(row, now) === 0 || row.version === row.startVersion
      if (isSeenByAll) this.#platform.hub.publish(delayedMatchChannel(match.id), match.version, match)
      this.#revealLater(row, now)
    })
    return match
  }

  /** Publishes a match as it is stored now. */
  publish(match: Match): void {
    this.#platform.hub.publish(matchChannel(match.id), match.version, match)
    if (match.visibility === 'public') this.lobby.touch(match.status === 'live' ? 'later' : 'soon')
    for (const listener of this.#listeners) listener(match)
  }

  /** Null when the code is taken, or when another has opened this rematch. */
  async #open(scope: Scope, user: Player, match: NewMatch): Promise<Match | null> {
    const opened = await openMatch(scope.sql, match, this.#arrival(user))
    if (!opened) throw new RpcError('UNAUTHENTICATED', 'There is no such user any more')
    if (!opened.hasRoom) throw tooMany()
    const { row, before } = opened
    if (before) this.announce(scope, before)
    return row && this.#seated(scope, row, user.id)
  }

  /** Null when there is no such match. @throws RpcError as `join` */
  async #take(scope: Scope, user: Player, by: MatchKey): Promise<Match | null> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const joined = await joinMatch(scope.sql, by, this.#arrival(user))
      if (!joined) return null
      const { row, isSeated, isJoined, isFree, hasRoom } = joined
      if (isJoined) return this.#seated(scope, row, user.id)
      if (isSeated) return this.#toMatch(row)
      const { status } = this.#seenBy(row, user.id)
      if (!isOpen(status)) throw new RpcError('MATCH_CLOSED', 'This match is over')
      if (!isFree) throw new RpcError('MATCH_FULL', 'Every seat is taken or kept for somebody else')
      if (status !== 'waiting') throw new RpcError('MATCH_CLOSED', 'This match has begun')
      if (!hasRoom) throw tooMany()
    }
    throw tooBusy()
  }

  /** Announces a match in which the user has just taken a seat. */
  #seated(scope: Scope, row: MatchRow, userId: string): Match {
    const match = this.#announceMove(delayedMatchChannel(row.id), scope, row)
    const written = match.players.find((player) => player.userId === userId)?.connected
    // The user's last socket may close, or a first one open, before the seat that says so is committed.
    scope.afterCommit(() => {
      if (this.#platform.connections.isOnline(userId) === written) return
      for (const listener of this.#seatListeners) listener(userId)
    })
    return match
  }

  /**
   * Announces a match whose seats have changed hands. Where spectators have a channel of their own, a follower of
   * `channel` may belong to the other one now, and has to ask again.
   */
  #announceMove(channel: Channel<Match>, scope: Scope, row: MatchRow): Match {
    const match = this.announce(scope, row)
    if (spectatorDelayOf(row.options) > 0) scope.afterCommit(() => this.#platform.hub.end(channel, 'behind'))
    return match
  }

  #arrival({ id }: Player): Arrival {
    const { config, connections } = this.#platform
    const { maxActive, countdownMs } = config.matches
    return { userId: id, isHere: connections.isOnline(id), maxActive, countdownMs, seatCounts: this.#seatCounts }
  }

  /** @throws RpcError VALIDATION_FAILED when this server has no such game. */
  #gameOf(name: string): AnyGame {
    const game = gameOf(this.#platform.games, name)
    if (game) return game
    const issues = [{ path: 'game', message: `Choose one of: ${Object.keys(this.#platform.games).join(', ')}` }]
    throw new RpcError('VALIDATION_FAILED', 'There is no such game', { issues })
  }

  async #page(
    { cursor, limit = DEFAULT_PAGE }: ListPage,
    by: ListOrder,
    userId: string | null,
    read: (page: PageOf) => Promise<MatchRow[]>,
  ) {
    const rows = await read({ after: readCursor(cursor), take: limit + 1 })
    const items = rows.slice(0, limit)
    const last = rows.length > limit ? items.at(-1) : undefined
    const nextCursor = last && toCursor(last[by], last.id)
    return { items: items.map((row) => this.#seenBy(row, userId)), ...(nextCursor ? { nextCursor } : {}) }
  }

  #seenBy(row: MatchRow, userId: string | null, now = Date.now()): Match {
    return this.#toMatch(userId !== null && hasSeat(row, userId) ? row : seenBySpectators(row, now))
  }

  #toMatch(row: MatchRow): Match {
    return toMatch(row, this.#platform.config.publicUrl)
  }

  #revealLater(row: MatchRow, now: number): void {
    const inMs = hiddenMs(row, now)
    if (inMs > 0 && row.finishedAt !== null) this.#reveals.add(row.id, inMs)
  }
}

export const matchService = service('matches', (platform) => new MatchService(platform))

function rematchOf(row: MatchRow, userId: string, games: Games): NewMatch {
  const { id, mode, visibility, seats } = row
  const game = gameOf(games, row.game)
  if (!game) throw new RpcError('MATCH_CLOSED', 'This game is not offered any more')
  const seatsOf = (user: string | null) => seats.filter((seat) => seat.userId === user).map(({ seat }) => seat)
  const isAlone = seats.every((seat) => seat.userId === null || seat.userId === userId)
  const reserved = Array.from({ length: game.seats }, (_, at) => {
    return seats.find(({ seat }) => seat === at)?.userId ?? ''
  })
  return {
    game,
    mode,
    visibility,
    options: toOptions(game, row.options),
    ownSeats: seatsOf(userId),
    botSeats: mode === 'bot' ? seatsOf(null) : [],
    rematch: { of: id, reserved: isAlone ? [] : reserved },
  }
}

/**
 * The options of a match: those of any match, and the game's own.
 *
 * @throws RpcError VALIDATION_FAILED
 */
function toOptions(game: AnyGame, options: unknown): Record<string, unknown> {
  const common = MatchOptions.safeParse(options)
  if (!common.success) throw invalidOptions(common.error)
  const { spectatorDelayMs, ...rules } = common.data
  const own = game.options.safeParse(rules)
  if (!own.success) throw invalidOptions(own.error)
  return { ...own.data, ...(spectatorDelayMs > 0 ? { spectatorDelayMs } : {}) }
}

function invalidOptions(error: Pick<SchemaError, 'issues'>): RpcError {
  return new RpcError('VALIDATION_FAILED', 'The options are not valid', { issues: toIssuesUnder('options', error) })
}

function hasSeat({ seats }: MatchRow, userId: string): boolean {
  return seats.some((seat) => seat.userId === userId)
}

/** Whether a match is still to be decided. */
function isOpen(status: MatchStatus): boolean {
  return status === 'waiting' || status === 'live'
}

/** What was open a moment ago is over. */
function nullIfClosed(error: unknown): null {
  if (error instanceof RpcError && error.code === 'MATCH_CLOSED') return null
  throw error
}

function tooMany(): RpcError {
  return new RpcError('TOO_MANY_MATCHES', 'Finish or leave another match first')
}

function tooBusy(): RpcError {
  return new RpcError('UNAVAILABLE', 'Too much is happening in this match', { retryAfterMs: 500 })
}
