import type { Sql } from '../../db/sql.ts'
import { type Opened, RpcError } from '../../rpc/index.ts'
import { type Platform, service } from '../platform.ts'
import type { Scope } from '../scope.ts'
import type { MatchId, UserId } from '../wire.ts'
import { abortMatch } from './abort-match.ts'
import { exportMatches, forgetName } from './export-matches.ts'
import { Invites } from './invites/invites.ts'
import { deleteOld } from './lifecycle/cleanup.ts'
import { MatchLifecycle } from './lifecycle/lifecycle.ts'
import { announceEnded } from './lifecycle/owned-matches.ts'
import { hasSeat, MatchFeed } from './match-feed.ts'
import type { MatchHooks } from './match-hooks.ts'
import { openMatchesOf } from './match-lists.ts'
import { checkOptions, offeredGame } from './match-options.ts'
import { MatchPages } from './match-pages.ts'
import { type MatchRow, matchReader, readByCode, readMatches, toMatch } from './match-row.ts'
import { type Arrival, joinMatch, leaveMatch, type NewMatch, openMatch } from './match-writes.ts'
import { MatchQueue } from './queue/match-queue.ts'
import { forgetOldRatings } from './ratings/ratings.ts'
import { readRematch, rematchOf } from './rematches.ts'
import { type Seated, Seating, type Seats } from './seating.ts'
import type { EndReason, JoinCode, Match, MatchMode, MatchStatus, Visibility } from './types.ts'

/** How often a request is tried again because another request changed the match first. */
const MAX_TRIES = 100

export interface Creation {
  readonly game: string
  readonly mode: Exclude<MatchMode, 'ranked'>
  readonly visibility?: Visibility | undefined
  readonly options?: unknown
}

type MatchKey = { readonly matchId: MatchId } | { readonly code: JoinCode }

interface Player {
  readonly id: string
  readonly username: string
}

/** Creates, joins, leaves and reads matches for users. `MatchLifecycle` does everything else that happens to matches. */
export class MatchService {
  /** Stopping takes longer than for other services: live matches have to be settled. */
  readonly stopWithinMs = 2_000
  readonly feed: MatchFeed
  readonly lifecycle: MatchLifecycle
  readonly invites: Invites
  readonly seating: Seating
  readonly queue: MatchQueue
  readonly pages: MatchPages
  readonly #platform: Platform
  readonly #read: (id: MatchId) => Promise<MatchRow | undefined>

  constructor(platform: Platform) {
    this.#platform = platform
    this.feed = new MatchFeed(platform)
    this.lifecycle = new MatchLifecycle(platform, this.feed)
    this.pages = new MatchPages(platform, this.feed)
    this.invites = new Invites(platform, this.feed)
    this.seating = new Seating(platform, this.feed, (userId) => this.lifecycle.updatePresence(userId))
    this.queue = new MatchQueue(platform, this.feed, this.seating, this.invites)
    this.#read = matchReader(platform.database.sql)
  }

  /** What other modules do when a match ends: `hooks.onResult`, `hooks.onAborted`. */
  get hooks(): MatchHooks {
    return this.feed.hooks
  }

  get queues() {
    return { ...this.lifecycle.queues, 'matches.queue': this.queue }
  }

  start(): Promise<void> {
    return this.lifecycle.start()
  }

  settle(): Promise<void> {
    return this.lifecycle.settle()
  }

  async stop(): Promise<void> {
    await this.queue.stop()
    await this.lifecycle.stop()
    await this.invites.stop()
    await this.feed.stop()
  }

  /** @throws RpcError VALIDATION_FAILED for an unknown game or options that the game does not know, TOO_MANY_MATCHES. */
  async create(scope: Scope, user: Player, creation: Creation): Promise<Match> {
    const { mode, visibility = 'public' } = creation
    const game = offeredGame(this.#platform.games, creation.game)
    const options = checkOptions(game, creation.options ?? {})
    const others = Array.from({ length: game.seats - 1 }, (_, index) => index + 1)
    const ownSeats = mode === 'local' ? [0, ...others] : [0]
    const match = { game, mode, visibility, options, ownSeats, botSeats: mode === 'bot' ? others : [] }
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const opened = await this.#open(scope, user, match)
      if (opened) return opened
    }
    throw new Error('no free join code')
  }

  /**
   * Takes a seat in a new match with the seats of a finished one, kept for its players. The first who asks opens it.
   *
   * @throws RpcError NOT_FOUND, FORBIDDEN for a user who did not play, NOT_FINISHED, TOO_MANY_MATCHES; MATCH_FULL and
   *   MATCH_CLOSED as `join` does.
   */
  async rematch(scope: Scope, user: Player, matchId: MatchId): Promise<Match> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const found = await readRematch(scope.sql, matchId)
      if (!found) throw notFound()
      const { row, openId } = found
      if (!hasSeat(row, user.id)) throw new RpcError('FORBIDDEN', 'You did not play in this match')
      if (isOpen(row.status)) throw new RpcError('NOT_FINISHED', 'This match is not over')
      const match = openId
        ? await this.#join(scope, user, { matchId: openId }).catch(nullIfClosed)
        : await this.#open(scope, user, rematchOf(row, user.id, this.#platform.games))
      if (match) return match
    }
    throw tooBusy()
  }

  /**
   * Opens a waiting match with every seat taken by these players; null with those of them who are banned or gone. It does not
   * count against the matches that a player may have.
   *
   * @throws RpcError VALIDATION_FAILED as `create`; RangeError unless there is one player for each seat
   */
  seatPlayers(scope: Scope, seats: Seats): Promise<Seated> {
    return this.seating.seatPlayers(scope, seats)
  }

  /** The match with this id, or the newest with this code, as the user sees it; null when there is none. */
  async find(by: MatchKey, userId: string | null): Promise<Match | null> {
    const row = 'matchId' in by ? await this.#read(by.matchId) : await readByCode(this.#platform.database.sql, by.code)
    return row ? this.feed.show(row, userId) : null
  }

  /** As `find`, for a request that has a transaction: it must not wait for a second connection. */
  async findIn({ sql }: Pick<Scope, 'sql'>, matchId: MatchId, userId: string | null): Promise<Match | null> {
    const [row] = await readMatches(sql, [matchId])
    return row ? this.feed.show(row, userId) : null
  }

  /** The match as the user sees it, and the channel of its changes; null when there is none. */
  async follow(matchId: MatchId, userId: string | null): Promise<Opened<Match, Match> | null> {
    const row = await this.#read(matchId)
    return row ? this.feed.open(row, userId) : null
  }

  /**
   * Takes the lowest seat that is free for the user, who may have one already.
   *
   * @throws RpcError NOT_FOUND, MATCH_CLOSED once it has begun, MATCH_FULL, TOO_MANY_MATCHES
   */
  async join(scope: Scope, user: Player, by: MatchKey): Promise<Match> {
    const match = await this.#join(scope, user, by)
    if (!match) throw notFound()
    return match
  }

  /**
   * Gives up a seat. A live match is answered as it is: its node settles the forfeit, which comes as an update.
   *
   * @throws RpcError NOT_FOUND when there is no such match or the user has no seat in it.
   */
  async leave(scope: Scope, userId: UserId, matchId: MatchId): Promise<Match> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const left = await leaveMatch(scope.sql, matchId, userId)
      if (!left?.isSeated) throw new RpcError('NOT_FOUND', 'You have no seat there')
      const { row, isChanged, isDone, before } = left
      if (before) this.feed.announce(scope, before)
      if (isChanged) {
        const match = this.feed.announceMove(scope, row, 'left')
        if (match.status === 'aborted') await this.feed.hooks.run(scope, row, match)
        return match
      }
      if (!isDone) continue
      if (row.status === 'live') scope.afterCommit(() => this.lifecycle.tellLeft(row, userId))
      return this.feed.show(row, userId)
    }
    throw tooBusy()
  }

  /** Gives up all seats of a user in waiting and live matches, as `leave` does. */
  async leaveAll(scope: Scope, userId: UserId): Promise<void> {
    for (const matchId of await openMatchesOf(scope.sql, userId)) await this.leave(scope, userId, matchId)
  }

  /** Takes the name out of the seats of a user who is about to be deleted. */
  async forget({ sql }: Scope, userId: UserId): Promise<void> {
    await forgetName(sql, userId)
  }

  exportOf(userId: string, sql: Sql) {
    return exportMatches(sql, userId)
  }

  /** The waiting and live matches in which the user has a seat. */
  openMatchesOf({ sql }: Scope, userId: string): Promise<MatchId[]> {
    return openMatchesOf(sql, userId)
  }

  /**
   * Ends a match without a result, on whatever node it runs: `open`, one that waits or is live; `unbegun`, only one that waits for
   * a player. Null when there is no such match.
   */
  async abort(scope: Scope, matchId: MatchId, endReason: EndReason, which: 'open' | 'unbegun' = 'open') {
    const row = await abortMatch(scope.sql, matchId, endReason, which)
    if (row === null) return null
    await announceEnded(this.feed, scope, [matchId], [row])
    return toMatch(row, this.#platform.config.publicUrl)
  }

  /** So many watch a live match that this node runs. It is stored within some seconds. */
  noteSpectators(matchId: string, count: number): void {
    this.lifecycle.noteSpectators(matchId, count)
  }

  async deleteOld({ sql }: Scope): Promise<void> {
    await Promise.all([deleteOld(sql, this.#platform.config.replayDays), forgetOldRatings(sql)])
  }

  /** Null when the code is taken, or when another player has opened this rematch. */
  async #open(scope: Scope, user: Player, match: NewMatch): Promise<Match | null> {
    const opened = await openMatch(scope.sql, match, this.#arrival(user))
    if (!opened?.hasRoom) throw tooMany()
    const { row, before } = opened
    if (before) this.feed.announce(scope, before)
    return row && this.#seated(scope, row, user.id)
  }

  /** Null when there is no such match. @throws RpcError as `join` */
  async #join(scope: Scope, user: Player, by: MatchKey): Promise<Match | null> {
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const joined = await joinMatch(scope.sql, by, this.#arrival(user))
      if (!joined) return null
      const { row, isSeated, isJoined, isFree, hasRoom } = joined
      if (isJoined) return this.#seated(scope, row, user.id)
      const match = this.feed.show(row, user.id)
      if (isSeated) return match
      if (!isOpen(match.status)) throw new RpcError('MATCH_CLOSED', 'This match is over')
      if (!isFree) throw new RpcError('MATCH_FULL', 'Every seat is taken or kept for somebody else')
      if (match.status !== 'waiting') throw new RpcError('MATCH_CLOSED', 'This match has begun')
      if (!hasRoom) throw tooMany()
    }
    throw tooBusy()
  }

  #seated(scope: Scope, row: MatchRow, userId: string): Match {
    const match = this.feed.announceMove(scope, row, 'joined')
    const written = match.players.find((player) => player.userId === userId)?.connected
    // The user's last socket may close, or the first one open, between the statement and its commit.
    scope.afterCommit(() => {
      if (this.#platform.connections.isOnline(userId) !== written) this.lifecycle.updatePresence(userId)
    })
    return match
  }

  #arrival({ id }: Player): Arrival {
    const { config, connections } = this.#platform
    const { maxActive, countdownMs } = config.matches
    const { seatCounts } = this.feed
    return { userId: id, isHere: connections.isOnline(id), maxActive, countdownMs, seatCounts }
  }
}

export const matchService = service('matches', (platform) => new MatchService(platform))

function isOpen(status: MatchStatus): boolean {
  return status === 'waiting' || status === 'live'
}

/** The rematch was open when the row was read, and is over now. */
function nullIfClosed(error: unknown): null {
  if (error instanceof RpcError && error.code === 'MATCH_CLOSED') return null
  throw error
}

function notFound(): RpcError {
  return new RpcError('NOT_FOUND', 'There is no such match')
}

function tooMany(): RpcError {
  return new RpcError('TOO_MANY_MATCHES', 'Finish or leave another match first')
}

function tooBusy(): RpcError {
  return new RpcError('UNAVAILABLE', 'Too much is happening in this match', { retryAfterMs: 500 })
}
