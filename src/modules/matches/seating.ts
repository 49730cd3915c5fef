import { lockUsers } from '../auth/index.ts'
import type { Platform } from '../platform.ts'
import type { Scope } from '../scope.ts'
import type { MatchFeed } from './match-feed.ts'
import { checkOptions, offeredGame } from './match-options.ts'
import { openSeated, type SeatedMatch } from './seat-players.ts'
import type { Match, MatchMode, Visibility } from './types.ts'

/** How often a match whose join code is taken gets another one. */
const MAX_TRIES = 20

/** A match that the server opens for its players, with every seat taken. */
export interface Seats {
  readonly game: string
  readonly mode: MatchMode
  readonly visibility: Visibility
  readonly options?: unknown
  /** One for each seat, in the order of seats. */
  readonly userIds: readonly string[]
  /** What opens it, such as `tournament:` with an id: hooks are told. */
  readonly origin?: string | null
  /** From now to the first tick, where all are connected. Default: that of any match. */
  readonly countdownMs?: number
}

export interface Seated {
  /** Null when some of its players may not play: then nothing is opened. */
  readonly match: Match | null
  /** Players who are banned, or gone. */
  readonly absent: readonly string[]
}

/** Opens matches for players who did not ask for them one by one, such as those of the queue. */
export class Seating {
  readonly #platform: Platform
  readonly #feed: MatchFeed
  readonly #updatePresence: (userId: string) => void

  constructor(platform: Platform, feed: MatchFeed, updatePresence: (userId: string) => void) {
    this.#platform = platform
    this.#feed = feed
    this.#updatePresence = updatePresence
  }

  /** Opens a waiting match with every seat taken. It is not counted against the matches that its players may have. */
  async seatPlayers(scope: Scope, { origin = null, ...seats }: Seats): Promise<Seated> {
    const game = offeredGame(this.#platform.games, seats.game)
    const match = { ...seats, game, options: checkOptions(game, seats.options ?? {}), origin }
    const present = await lockUsers(scope.sql, match.userIds)
    const absent = match.userIds.filter((userId) => !present.has(userId))
    if (absent.length > 0) return { match: null, absent }
    const [opened = null] = await this.openAll(scope, [match])
    return { match: opened, absent }
  }

  /** As `seatPlayers`, of several matches, whose players this transaction has locked with `lockUsers`. */
  async openAll(scope: Scope, matches: readonly SeatedMatch[]): Promise<Match[]> {
    for (const { game, userIds } of matches) {
      if (userIds.length !== game.seats || new Set(userIds).size !== userIds.length) {
        throw new RangeError(
          `${game.name} has ${game.seats} seats, each for another player: there are ${userIds.length}`,
        )
      }
    }
    const { connections, config } = this.#platform
    const isHere = (userId: string) => connections.isOnline(userId)
    const before = matches.flatMap(({ userIds }) => userIds.map((userId) => [userId, isHere(userId)] as const))
    const opened: Match[] = []
    let left = matches
    for (let tries = 0; left.length > 0; tries++) {
      if (tries === MAX_TRIES) throw new Error('no free join code')
      const rows = await openSeated(scope.sql, left, { countdownMs: config.matches.countdownMs, isHere })
      const seated = new Set(rows.map(({ createdBy }) => createdBy))
      left = left.filter(({ userIds: [first = ''] }) => !seated.has(first))
      for (const row of rows) opened.push(this.#feed.announceMove(scope, row, 'joined'))
    }
    scope.afterCommit(() => {
      // A player's last socket may close, or the first one open, between the statement and its commit.
      for (const [userId, wasHere] of before) if (isHere(userId) !== wasHere) this.#updatePresence(userId)
    })
    return opened
  }
}
