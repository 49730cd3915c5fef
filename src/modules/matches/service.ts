import type { z } from 'zod'
import type { Prisma } from '../../db/generated/client.ts'
import { type GameName, games, isGameName } from '../../games/index.ts'
import { RpcError } from '../../rpc/index.ts'
import type { Platform, Scope } from '../context.ts'
import { toIssuesUnder } from '../issues.ts'
import type { MatchId } from '../wire.ts'
import { matchChannel, publishLeave } from './channels.ts'
import { type ListOrder, type ListPage, readCursor, toCursor } from './list-page.ts'
import type { LobbyFeed } from './lobby.ts'
import { type MatchRow, toMatch } from './match-row.ts'
import { MatchOptions } from './options.ts'
import { isOpen, matchStore, type NewSeat } from './store.ts'
import type { JoinCode, Match, MatchMode, MatchStatus, Visibility } from './types.ts'

const DEFAULT_PAGE = 20

export interface Creation {
  readonly game: GameName
  readonly mode: Exclude<MatchMode, 'ranked'>
  readonly visibility?: Visibility | undefined
  readonly options?: unknown
}

/** Told of every change of a match, once it is committed. */
export type MatchListener = (match: Match) => void

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
  readonly #listeners: MatchListener[] = []
  readonly #seatListeners: ((userId: string) => void)[] = []

  constructor(platform: Platform, lobby: LobbyFeed) {
    this.#platform = platform
    this.lobby = lobby
  }

  /** `listener` runs on the node that made the change. */
  onChange(listener: MatchListener): void {
    this.#listeners.push(listener)
  }

  /** `listener` is told of who took a seat, but came or went since that was written. */
  onSeatOutdated(listener: (userId: string) => void): void {
    this.#seatListeners.push(listener)
  }

  /** @throws RpcError VALIDATION_FAILED for options that the game does not know, TOO_MANY_MATCHES. */
  async create(scope: Scope, user: Player, creation: Creation): Promise<Match> {
    const { game, mode, visibility = 'public' } = creation
    const options = toOptions(game, creation.options ?? {})
    await this.#boundActive(scope, user.id)
    const row = await matchStore.insert(
      scope,
      { game, mode, visibility, options, createdBy: user.id },
      this.#seatsOf(user, game, mode, await this.#displayName(scope, user)),
      this.#platform.config.matches.countdownMs,
    )
    this.#watchSeat(scope, row, user.id)
    return this.announce(scope, row)
  }

  /** The match with this id, or the newest with this code; null when there is none. */
  async find(scope: Scope, by: { matchId: MatchId } | { code: JoinCode }): Promise<Match | null> {
    const row = await matchStore.find(scope, 'matchId' in by ? { id: by.matchId } : by)
    return row && this.#toMatch(row)
  }

  /**
   * Takes the lowest free seat. Who sits there already is answered as if they had just come.
   *
   * @throws RpcError NOT_FOUND, MATCH_CLOSED once it has begun, MATCH_FULL, TOO_MANY_MATCHES.
   */
  async join(scope: Scope, user: Player, by: { matchId: MatchId } | { code: JoinCode }): Promise<Match> {
    const found = await this.find(scope, by)
    if (!found) throw new RpcError('NOT_FOUND', 'There is no such match')
    if (hasSeat(found, user.id)) return found
    // Refused without a lock, so that a crowd at a match that has filled up does not queue for it.
    freeSeat(found)
    const row = await matchStore.lock(scope, found.id)
    if (!row) throw new RpcError('NOT_FOUND', 'There is no such match')
    const match = this.#toMatch(row)
    if (hasSeat(match, user.id)) return match
    const seat = freeSeat(match)
    await this.#boundActive(scope, user.id)
    const displayName = await this.#displayName(scope, user)
    await scope.db.seat.create({
      data: { matchId: row.id, seat, userId: user.id, displayName, ...this.presence(user.id) },
    })
    const saved = await this.#save(scope, row)
    this.#watchSeat(scope, saved, user.id)
    return this.announce(scope, saved)
  }

  /**
   * Gives up a seat. A match that waits goes on waiting, or ends with its last player. A live one is answered as it
   * is: that it is forfeited is settled where it runs, and comes as an update.
   *
   * @throws RpcError NOT_FOUND when there is no such match or the user has no seat in it.
   */
  async leave(scope: Scope, user: Player, matchId: MatchId): Promise<Match> {
    const row = await matchStore.lock(scope, matchId)
    if (!row?.seats.some(({ userId }) => userId === user.id)) throw new RpcError('NOT_FOUND', 'You have no seat there')
    if (row.status === 'live') {
      await scope.db.seat.updateMany({
        where: { matchId, userId: user.id, leftAt: null },
        data: { leftAt: new Date() },
      })
      // The process that runs it finds it in the row; this tells it at once.
      scope.afterCommit(() => publishLeave(this.#platform.bus, { matchId, userId: user.id }))
    }
    if (row.status !== 'waiting') return this.#toMatch(row)
    const others = row.seats.filter(({ userId }) => userId !== null && userId !== user.id)
    if (others.length === 0) return this.abort(scope, row, 'left')
    await scope.db.seat.deleteMany({ where: { matchId, userId: user.id } })
    return this.change(scope, row)
  }

  /** Ends a locked match without a result. */
  abort(scope: Scope, row: MatchRow, endReason: string): Promise<Match> {
    return this.change(scope, row, { status: 'aborted', endReason, finishedAt: new Date() })
  }

  /** Writes `data` and what was changed of the seats of a locked match as one new version, and announces it. */
  async change(scope: Scope, row: MatchRow, data: Prisma.MatchUpdateInput = {}): Promise<Match> {
    return this.announce(scope, await this.#save(scope, row, data))
  }

  /** Public matches; with `player` those of theirs, also the private and local ones. */
  async list(scope: Scope, page: ListPage & MatchFilter, player: Player | null) {
    const { game, status } = page
    const where: Prisma.MatchWhereInput = {
      ...(player ? { seats: { some: { userId: player.id } } } : { visibility: 'public', mode: { not: 'local' } }),
      ...(game ? { game } : {}),
      status: status ?? { in: ['waiting', 'live'] },
    }
    return this.#page(scope, page, where, 'createdAt')
  }

  /** The finished matches of a player, last finished first; the private ones only for the player's own eyes. */
  async history(scope: Scope, page: ListPage, username: string, viewer: Player | null) {
    const where: Prisma.MatchWhereInput = {
      status: 'finished',
      seats: { some: { user: { username } } },
      ...(viewer?.username === username ? {} : { visibility: 'public' }),
    }
    return this.#page(scope, page, where, 'finishedAt')
  }

  /** Whether the user has a socket to this process, as it is kept with a seat. */
  presence(userId: string): { connected: boolean } {
    return { connected: this.#platform.connections.isOnline(userId) }
  }

  /** Publishes a match as it was just written, once that is committed. */
  announce(scope: Scope, row: MatchRow): Match {
    const match = this.#toMatch(row)
    scope.afterCommit(() => this.publish(match))
    return match
  }

  /** Publishes a match as it is stored now. */
  publish(match: Match): void {
    this.#platform.hub.publish(matchChannel(match.id), match.version, match)
    if (match.visibility === 'public') this.lobby.touch(match.status === 'live' ? 'later' : 'soon')
    for (const listener of this.#listeners) listener(match)
  }

  async #page(scope: Scope, page: ListPage, where: Prisma.MatchWhereInput, by: ListOrder) {
    const { cursor, limit = DEFAULT_PAGE } = page
    const rows = await matchStore.list(scope, where, { by, after: readCursor(cursor), take: limit + 1 })
    const items = rows.slice(0, limit)
    const last = rows.length > limit ? items.at(-1) : undefined
    const nextCursor = last && toCursor(last[by], last.id)
    return { items: items.map((row) => this.#toMatch(row)), ...(nextCursor ? { nextCursor } : {}) }
  }

  #save(scope: Scope, row: MatchRow, data?: Prisma.MatchUpdateInput): Promise<MatchRow> {
    return matchStore.save(scope, row, this.#platform.config.matches.countdownMs, data)
  }

  #toMatch(row: MatchRow): Match {
    return toMatch(row, this.#platform.config.publicUrl)
  }

  /** The user's last socket may close, or a first one open, before the seat that says so is committed. */
  #watchSeat(scope: Scope, { seats }: MatchRow, userId: string): void {
    const written = seats.find((seat) => seat.userId === userId)?.connected
    scope.afterCommit(() => {
      if (this.presence(userId).connected === written) return
      for (const listener of this.#seatListeners) listener(userId)
    })
  }

  #seatsOf(user: Player, game: GameName, mode: MatchMode, displayName: string): NewSeat[] {
    const own: NewSeat = { seat: 0, userId: user.id, displayName, ...this.presence(user.id) }
    const others = Array.from({ length: games[game].seats - 1 }, (_, index) => index + 1)
    if (mode === 'local') return [own, ...others.map((seat) => ({ ...own, seat }))]
    if (mode === 'bot') {
      return [own, ...others.map((seat) => ({ seat, userId: null, displayName: 'Bot', connected: true }))]
    }
    return [own]
  }

  async #displayName(scope: Scope, user: Player): Promise<string> {
    const row = await scope.db.user.findUnique({ where: { id: user.id }, select: { displayName: true } })
    return row?.displayName ?? user.username
  }

  async #boundActive(scope: Scope, userId: string): Promise<void> {
    const active = await matchStore.countActive(scope, userId)
    if (active >= this.#platform.config.matches.maxActive) {
      throw new RpcError('TOO_MANY_MATCHES', 'Finish or leave another match first')
    }
  }
}

/**
 * The options of a match: those of any match, and the game's own.
 *
 * @throws RpcError VALIDATION_FAILED
 */
function toOptions(game: GameName, options: unknown): Prisma.InputJsonObject {
  const common = MatchOptions.safeParse(options)
  if (!common.success) throw invalidOptions(common.error)
  const { spectatorDelayMs, ...rules } = common.data
  const own = games[game].options.safeParse(rules)
  if (!own.success) throw invalidOptions(own.error)
  return { ...own.data, ...(spectatorDelayMs > 0 ? { spectatorDelayMs } : {}) }
}

function invalidOptions(error: z.ZodError): RpcError {
  return new RpcError('VALIDATION_FAILED', 'The options are not valid', { issues: toIssuesUnder('options', error) })
}

function hasSeat({ players }: Match, userId: string): boolean {
  return players.some((player) => player.userId === userId)
}

/**
 * The lowest seat that can be taken.
 *
 * @throws RpcError MATCH_CLOSED, MATCH_FULL
 */
function freeSeat({ game, status, players }: Match): number {
  if (!isOpen(status)) throw new RpcError('MATCH_CLOSED', 'This match is over')
  const seatCount = isGameName(game) ? games[game].seats : 0
  for (let seat = 0; seat < seatCount; seat++) {
    if (players.some((player) => player.seat === seat)) continue
    if (status !== 'waiting') throw new RpcError('MATCH_CLOSED', 'This match has begun')
    return seat
  }
  throw new RpcError('MATCH_FULL', 'Every seat is taken')
}
