import { batched } from '../../db/batched-lookup.ts'
import { statement } from '../../db/sql.ts'
import { type Channel, channel } from '../../rpc/index.ts'
import type { Platform } from '../platform.ts'
import { newestPublic } from './match-lists.ts'
import { type MatchRow, matchRow, toMatch } from './match-row.ts'
import { seenBySpectators } from './spectator-delay.ts'
import type { Lobby } from './types.ts'

const MAX_MATCHES = 50
/** How many matches of one user a lobby shows, so that a few users do not fill it. */
const MAX_OF_HOST = 2
/** Changes within this time share one event: `soon` for waiting matches, `later` for the scores of live ones. */
const COALESCE_MS = { soon: 150, later: 1_000 } as const

/** The public matches of one game, or of all. */
export const lobbyChannel = (game?: string): Channel<Lobby> => channel('matches.onLobby', game)

export interface LobbySnapshot {
  readonly seq: number
  readonly lobby: Lobby
}

/** Counts the events of the lobby on all nodes. */
const NEXT_SEQ = statement<{ seq: number }>(
  'lobby.nextSeq',
  'INSERT INTO lobby (id, seq) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET seq = lobby.seq + 1 RETURNING seq',
)

/** The newest matches of each game, and their `seq`. Values: games, and how many waiting and live ones of each. */
const NEWEST = statement<{ seq: number; rows: readonly MatchRow[] }>(
  'lobby.newest',
  `WITH newest AS (${newestPublic({ statuses: `'{waiting,live}'`, games: '$1', limit: '$2' })}),
   of_hosts AS (
     SELECT *, row_number() OVER (PARTITION BY game, created_by ORDER BY created_at DESC, id DESC) AS of_host
     FROM newest),
   of_games AS (
     SELECT *, row_number() OVER (PARTITION BY game ORDER BY created_at DESC, id DESC) AS of_game
     FROM of_hosts WHERE of_host <= ${MAX_OF_HOST})
   SELECT coalesce((SELECT seq FROM lobby), 0) AS seq,
     coalesce(json_agg(${matchRow('of_games')} ORDER BY created_at DESC, id DESC), '[]') AS rows
   FROM of_games WHERE of_game <= ${MAX_MATCHES}`,
)

/** The matches that anybody may join or watch. Publishes the lobby to its followers when it changes. */
export class LobbyFeed {
  readonly #platform: Platform
  readonly #values: readonly unknown[]
  /** Requests of one moment share one query, and each lobby is made once. */
  readonly #snapshot: (game: string | undefined) => Promise<LobbySnapshot | undefined>
  #timer: NodeJS.Timeout | undefined
  #dueAt = Number.POSITIVE_INFINITY
  #refreshing: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(platform: Platform) {
    const { sql } = platform.database
    this.#platform = platform
    // A host may have so many matches, of which the lobby shows two.
    const candidates = MAX_MATCHES * Math.ceil(platform.config.matches.maxActive / MAX_OF_HOST)
    this.#values = [Object.keys(platform.games), candidates]
    this.#snapshot = batched(
      async (games) => {
        const { seq = 0, rows = [] } = (await sql.first(NEWEST, this.#values)) ?? {}
        return new Map(games.map((game) => [game, { seq, lobby: this.#lobbyOf(rows, game) }]))
      },
      { maxRunning: 1 },
    )
  }

  /** The lobby as it is, of one game or of all, with the `seq` that the last event had. */
  async read(game: string | undefined): Promise<LobbySnapshot> {
    return (await this.#snapshot(game)) ?? { seq: 0, lobby: { matches: [] } }
  }

  /** The lobby changed: it is published within the time of `urgency`. */
  touch(urgency: keyof typeof COALESCE_MS): void {
    const dueAt = performance.now() + COALESCE_MS[urgency]
    if (this.#stopped || dueAt >= this.#dueAt) return
    clearTimeout(this.#timer)
    this.#dueAt = dueAt
    this.#timer = setTimeout(() => {
      this.#dueAt = Number.POSITIVE_INFINITY
      this.#refreshing = this.#refreshing.then(() => this.#refresh())
    }, COALESCE_MS[urgency])
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#refreshing
  }

  async #refresh(): Promise<void> {
    const { hub, log, database, games } = this.#platform
    const followed = [undefined, ...Object.keys(games)].filter((game) => hub.isFollowed(lobbyChannel(game)))
    if (followed.length === 0) return
    try {
      // The number is taken before the lobby is read: of several nodes that publish, the highest has every change.
      const next = await database.sql.first(NEXT_SEQ)
      const read = await database.sql.first(NEWEST, this.#values)
      if (!next || !read) return
      for (const game of followed) hub.publish(lobbyChannel(game), next.seq, this.#lobbyOf(read.rows, game))
    } catch (error) {
      log.of('matches').warn({ err: error }, 'the lobby could not be read')
      this.touch('later')
    }
  }

  #lobbyOf(rows: readonly MatchRow[], game: string | undefined): Lobby {
    const now = Date.now()
    const ofHosts = new Map<string, number>()
    const shown = rows.filter((row) => {
      if (game !== undefined && row.game !== game) return false
      const ofHost = (ofHosts.get(row.createdBy) ?? 0) + 1
      ofHosts.set(row.createdBy, ofHost)
      return ofHost <= MAX_OF_HOST
    })
    const { publicUrl } = this.#platform.config
    return { matches: shown.slice(0, MAX_MATCHES).map((row) => toMatch(seenBySpectators(row, now), publicUrl)) }
  }
}
