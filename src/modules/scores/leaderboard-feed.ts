import { statement } from '../../db/sql.ts'
import { type Channel, channel } from '../../rpc/index.ts'
import type { Platform } from '../platform.ts'
import { readTop } from './read-leaderboard.ts'
import { type Leaderboard, Period } from './types.ts'

/** How many entries the live list of a leaderboard has. */
const SHOWN = 50
/** Changes within this time share one event. */
const COALESCE_MS = 500
/** Leaderboards that wait for their event. A change of another one is left to the next change. */
const MAX_WAITING = 3_000
/** How often the day is looked at, because the lists of a day and a week begin again at midnight UTC. */
const DAY_CHECK_MS = 2_000
/** What following costs in a second while one node publishes: an entry has at most about 500 bytes. */
const COST = { frames: 1_000 / COALESCE_MS, bytes: (1_000 / COALESCE_MS) * SHOWN * 500 }

export const leaderboardChannel = (gameMode: string, period: Period): Channel<Leaderboard> =>
  channel('scores.onLeaderboard', `${gameMode}/${period}`, { cost: COST })

/** Counts the events of a mode on all nodes, for all its periods. */
const NEXT_SEQ = statement<{ seq: number }>(
  'scores.nextSeq',
  `UPDATE leaderboards SET seq = seq + 1 WHERE game_mode = $1 AND period = 'all' RETURNING seq`,
)
const TODAY = statement<{ day: string }>('scores.today', `SELECT (now() AT TIME ZONE 'UTC')::date::text AS day`)
const MODES = statement<{ gameMode: string }>(
  'scores.modeNames',
  `SELECT game_mode AS "gameMode" FROM leaderboards WHERE period = 'all'`,
)

/** Publishes leaderboards to those who follow them, when scores or the day change them. */
export class LeaderboardFeed {
  readonly #platform: Platform
  /** What changed since the last event: `mode/period`. */
  readonly #waiting = new Map<string, { readonly gameMode: string; readonly period: Period }>()
  #timer: NodeJS.Timeout | undefined
  #publishing: Promise<void> = Promise.resolve()
  #days: { stop(): Promise<void> } | undefined
  #day: string | undefined
  #stopped = false

  constructor(platform: Platform) {
    this.#platform = platform
  }

  async start(): Promise<void> {
    await this.#checkDay()
    this.#days = this.#platform.every('scores.newDay', DAY_CHECK_MS, () => this.#checkDay())
  }

  /** The list as it is, with the `seq` that the last event of its mode had. */
  read(gameMode: string, period: Period) {
    return readTop(this.#platform.database.sql, gameMode, period, SHOWN)
  }

  /** A leaderboard changed: followers get it soon. */
  touch(gameMode: string, period: Period): void {
    const { name } = leaderboardChannel(gameMode, period)
    if (this.#stopped || this.#waiting.size >= MAX_WAITING) return
    if (!this.#platform.hub.isFollowed(leaderboardChannel(gameMode, period))) return
    this.#waiting.set(name, { gameMode, period })
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#publishing = this.#publishing.then(() => this.#publish())
    }, COALESCE_MS)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#days?.stop()
    await this.#publishing
  }

  async #publish(): Promise<void> {
    const { hub, log, database } = this.#platform
    const changed = [...this.#waiting.values()]
    this.#waiting.clear()
    try {
      for (const { gameMode, period } of changed) {
        if (this.#stopped) return
        // The number is taken before the list is read: of several nodes that publish, the highest has every change.
        const next = await database.sql.first(NEXT_SEQ, [gameMode])
        if (!next) continue
        const { leaderboard } = await this.read(gameMode, period)
        hub.publish(leaderboardChannel(gameMode, period), next.seq, leaderboard)
      }
    } catch (error) {
      log.of('scores').warn({ err: error }, 'leaderboards could not be read')
      for (const { gameMode, period } of changed) this.touch(gameMode, period)
    }
  }

  async #checkDay(): Promise<void> {
    const { sql } = this.#platform.database
    const before = this.#day
    this.#day = (await sql.first(TODAY))?.day
    if (before === undefined || before === this.#day) return
    for (const { gameMode } of await sql.rows(MODES)) {
      for (const period of Period.options) this.touch(gameMode, period)
    }
  }
}
