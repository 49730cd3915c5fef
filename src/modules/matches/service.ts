import type { Prisma } from '../../db/generated/client.ts'
import { type GameName, games } from '../../games/index.ts'
import { RpcError } from '../../rpc/index.ts'
import type { Platform, Scope } from '../context.ts'
import { toIssuesUnder } from '../issues.ts'
import type { MatchId } from '../wire.ts'
import { matchChannel } from './channels.ts'
import type { LobbyFeed } from './lobby.ts'
import { type MatchRow, toMatch } from './match-row.ts'
import { isOpen, matchStore, type NewSeat } from './store.ts'
import type { JoinCode, Match, MatchMode, MatchStatus, Visibility } from './types.ts'

/** Matches of one user that are not over. */
const MAX_ACTIVE = 10
const DEFAULT_PAGE = 20

export interface Creation {
  readonly game: GameName
  readonly mode: Exclude<MatchMode, 'ranked'>
  readonly visibility?: Visibility | undefined
  readonly options?: unknown
}

/** Told of every change of a match, once it is committed. */
export type MatchListener = (match: Match) => void

interface Player {
  readonly id: string
  readonly username: string
}

/** Creating, joining, leaving and reading matches. What runs a live one is the keeper's. */
export class MatchService {
  readonly lobby: LobbyFeed
  readonly #platform: Platform
  readonly #listeners: MatchListener[] = []
  readonly #leaveListeners: ((matchId: string, userId: string) => void)[] = []

  constructor(platform: Platform, lobby: LobbyFeed) {
    this.#platform = platform
    this.lobby = lobby
  }

  /** `listener` runs on the node that made the change. */
  onChange(listener: MatchListener): void {
    this.#listeners.push(listener)
  }

  /** `listener` is told when a player leaves a live match. */
  onLeaveLive(listener: (matchId: string, userId: string) => void): void {
    this.#leaveListeners.push(listener)
  }

  /** @throws RpcError VALIDATION_FAILED for options that the game does not know, TOO_MANY_MATCHES. */
  async create(scope: Scope, user: Player, creation: Creation): Promise<Match> {
    const { game, mode, visibility = 'public' } = creation
    const parsed = games[game].options.safeParse(creation.options ?? {})
    if (!parsed.success) {
      throw new RpcError('VALIDATION_FAILED', 'The options are not valid', {
        issues: toIssuesUnder('options', parsed.error),
      })
    }
    await this.#boundActive(scope, user.id)
    const row = await matchStore.insert(
      scope,
      { game, mode, visibility, options: { ...parsed.data }, createdBy: user.id },
      this.#seatsOf(user, game, mode, await this.#displayName(scope, user)),
    )
    return this.announce(scope, row)
  }

  /** The match with this id, or the waiting one with this code; null when there is none. */
  async find(scope: Scope, by: { matchId: MatchId } | { code: JoinCode }): Promise<Match | null> {
    const row = await matchStore.find(
      scope,
      'matchId' in by ? { id: by.matchId } : { code: by.code, status: 'waiting' },
    )
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
    if (isSeated(found, user.id)) return found
    const row = await matchStore.lock(scope, found.id)
    if (!row) throw new RpcError('NOT_FOUND', 'There is no such match')
    const seatCount = games[row.game as GameName]?.seats ?? 0
    const free = Array.from({ length: seatCount }, (_, seat) => seat).find(
      (seat) => !row.seats.some((taken) => taken.seat === seat),
    )
    if (row.seats.some(({ userId }) => userId === user.id)) return this.#toMatch(row)
    if (!isOpen(row.status)) throw new RpcError('MATCH_CLOSED', 'This match is over')
    if (free === undefined) throw new RpcError('MATCH_FULL', 'Every seat is taken')
    if (row.status !== 'waiting') throw new RpcError('MATCH_CLOSED', 'This match has begun')
    await this.#boundActive(scope, user.id)
    const displayName = await this.#displayName(scope, user)
    await scope.db.seat.create({
      data: { matchId: row.id, seat: free, userId: user.id, displayName, ...this.presence(user.id) },
    })
    return this.announce(scope, await matchStore.save(scope, row))
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
      scope.afterCommit(() => {
        for (const listener of this.#leaveListeners) listener(matchId, user.id)
      })
    }
    if (row.status !== 'waiting') return this.#toMatch(row)
    const others = row.seats.filter(({ userId }) => userId !== null && userId !== user.id)
    if (others.length === 0) return this.abort(scope, row, 'left')
    await scope.db.seat.deleteMany({ where: { matchId, userId: user.id } })
    return this.announce(scope, await matchStore.save(scope, row))
  }

  /** Ends a locked match without a result. */
  async abort(scope: Scope, row: MatchRow, endReason: string): Promise<Match> {
    const ended = { status: 'aborted', endReason, finishedAt: new Date() } as const
    return this.announce(scope, await matchStore.save(scope, row, ended))
  }

  async list(scope: Scope, page: ListPage & { game?: string | undefined; status?: MatchStatus | undefined }) {
    const { game, status } = page
    return this.#page(scope, page, {
      visibility: 'public',
      ...(game ? { game } : {}),
      status: status ?? { in: ['waiting', 'live'] },
    })
  }

  /** The finished matches of a player, newest first; the private ones only for the player's own eyes. */
  async history(scope: Scope, page: ListPage, username: string, viewer: Player | null) {
    const isOwn = viewer?.username === username
    return this.#page(scope, page, {
      status: 'finished',
      seats: { some: { user: { username } } },
      ...(isOwn ? {} : { visibility: 'public' }),
    })
  }

  /** Whether the user has a socket to this process, as it is kept with a seat. */
  presence(userId: string): { connected: boolean; nodeId: string | null } {
    const connected = this.#platform.connections.isOnline(userId)
    return { connected, nodeId: connected ? this.#platform.node : null }
  }

  /** Publishes a match as it was just written, once that is committed. */
  announce(scope: Scope, row: MatchRow): Match {
    const match = this.#toMatch(row)
    scope.afterCommit(() => {
      this.#platform.hub.publish(matchChannel(match.id), match.version, match)
      if (match.visibility === 'public') this.lobby.touch()
      for (const listener of this.#listeners) listener(match)
    })
    return match
  }

  async #page(scope: Scope, { cursor, limit = DEFAULT_PAGE }: ListPage, where: Prisma.MatchWhereInput) {
    const rows = await matchStore.list(scope, where, { after: readCursor(cursor), take: limit + 1 })
    const items = rows.slice(0, limit)
    const last = rows.length > limit ? items.at(-1) : undefined
    return { items: items.map((row) => this.#toMatch(row)), ...(last ? { nextCursor: toCursor(last) } : {}) }
  }

  #toMatch(row: MatchRow): Match {
    return toMatch(row, this.#platform.config.publicUrl)
  }

  #seatsOf(user: Player, game: GameName, mode: MatchMode, displayName: string): NewSeat[] {
    const own: NewSeat = { seat: 0, userId: user.id, displayName, ...this.presence(user.id) }
    const others = Array.from({ length: games[game].seats - 1 }, (_, index) => index + 1)
    if (mode === 'local') return [own, ...others.map((seat) => ({ ...own, seat }))]
    if (mode === 'bot') {
      return [own, ...others.map((seat) => ({ seat, userId: null, displayName: 'Bot', connected: true, nodeId: null }))]
    }
    return [own]
  }

  async #displayName(scope: Scope, user: Player): Promise<string> {
    const row = await scope.db.user.findUnique({ where: { id: user.id }, select: { displayName: true } })
    return row?.displayName ?? user.username
  }

  async #boundActive(scope: Scope, userId: string): Promise<void> {
    const active = await matchStore.active(scope, userId)
    if (active.length >= MAX_ACTIVE) throw new RpcError('TOO_MANY_MATCHES', 'Finish or leave another match first')
  }
}

export interface ListPage {
  readonly cursor?: string | undefined
  readonly limit?: number | undefined
}

export function isSeated(match: Match, userId: string): boolean {
  return isOpen(match.status) && match.players.some((player) => player.userId === userId)
}

function toCursor({ createdAt, id }: MatchRow): string {
  return `${createdAt.getTime()}.${id}`
}

/** @throws RpcError VALIDATION_FAILED for a cursor that no page gave. */
function readCursor(cursor: string | undefined): { at: Date; id: string } | undefined {
  if (cursor === undefined) return undefined
  const [, at, id] = /^(\d{1,15})\.(.{1,40})$/.exec(cursor) ?? []
  if (at === undefined || id === undefined) {
    throw new RpcError('VALIDATION_FAILED', 'The data is not valid', {
      issues: [{ path: 'cursor', message: 'take it from the page before' }],
    })
  }
  return { at: new Date(Number(at)), id }
}
