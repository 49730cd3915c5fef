import { type PageRequest, readPage } from '../pages.ts'
import type { Platform } from '../platform.ts'
import type { MatchFeed } from './match-feed.ts'
import { listAllMatches, listMatches, type MatchFilter, readHistory } from './match-lists.ts'
import { offeredGame } from './match-options.ts'
import { toMatch } from './match-row.ts'
import { MAX_STANDING, topRatings } from './ratings/top-ratings.ts'
import type { MatchStatus } from './types.ts'

interface Player {
  readonly id: string
  readonly username: string
}

/** The lists of matches, as users and admins see them. */
export class MatchPages {
  readonly #platform: Platform
  readonly #feed: MatchFeed

  constructor(platform: Platform, feed: MatchFeed) {
    this.#platform = platform
    this.#feed = feed
  }

  /** The lobby of one game or of all. @throws RpcError VALIDATION_FAILED for an unknown game */
  async followLobby(game: string | undefined) {
    return this.#feed.lobby.read(game === undefined ? undefined : offeredGame(this.#platform.games, game).name)
  }

  /** Public matches; with `player` all matches of that player, private and local ones too. */
  async list(
    page: PageRequest & { game?: string | undefined; status?: MatchStatus | undefined },
    player: Player | null,
  ) {
    const { status } = page
    const games =
      page.game === undefined ? Object.keys(this.#platform.games) : [offeredGame(this.#platform.games, page.game).name]
    const userId = player?.id ?? null
    return readPage(page, {
      read: (rows) => listMatches(this.#platform.database.sql, { ...rows, games, status }, userId),
      key: ({ createdAt, id }) => ({ rank: createdAt, id }),
      item: (row) => this.#feed.show(row, userId),
    })
  }

  /** The best players of a game. @throws RpcError VALIDATION_FAILED for an unknown game */
  async ratings(page: PageRequest, game: string) {
    const { name } = offeredGame(this.#platform.games, game)
    return readPage(page, {
      maxRank: MAX_STANDING,
      read: (rows) => topRatings(this.#platform.database.sql, name, rows),
      key: ({ standing, userId }) => ({ rank: standing, id: userId }),
      item: ({ standing: _, ...rated }) => rated,
    })
  }

  /** Every match as it is, whoever may see it: for admins. */
  listAll(page: PageRequest & MatchFilter) {
    const { publicUrl } = this.#platform.config
    return readPage(page, {
      read: (rows) => listAllMatches(this.#platform.database.sql, rows, page),
      key: ({ createdAt, id }) => ({ rank: createdAt, id }),
      item: (row) => toMatch(row, publicUrl),
    })
  }

  /** The finished matches of a player, last finished first; the private ones only if the player asks. */
  history(page: PageRequest, username: string, viewer: Player) {
    return readPage(page, {
      read: (rows) => readHistory(this.#platform.database.sql, username, viewer.username === username, rows),
      key: ({ finishedAt, id }) => ({ rank: finishedAt ?? 0, id }),
      item: (row) => this.#feed.show(row, viewer.id),
    })
  }
}
