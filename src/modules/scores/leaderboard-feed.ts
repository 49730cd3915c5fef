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
const DAY_CHECK_MS = 10_000

export const leaderboardChannel = (gameMode: string, period: Period): Channel<Leaderboard> =>
  channel('scores.onLeaderboard', `${gameMode}/${period}`)

/** Counts the events of a mode on all nodes, for all its periods. */
const NEXT_SEQ = statement<{ seq: number }>(
  'scores.nextSeq',
  `UPDATE leaderboards SET seq = seq + 1 WHERE game_mode = $1 AND period = 'all' RETURNING seq`,
)
const MODES_AND_DAY = statement<{ modes: string[]; day: string }>(
  'scores.modesAndDay',
  `SELECT coalesce(array_agg(game_mode), '{}') AS modes, (now() AT TIME ZONE 'UTC')::date::text AS day
   FROM leaderboards WHERE period = 'all'`,
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

  start(): void {
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
    for (const { gameMode, period } of changed) {
      if (this.#stopped) return
      try {
        // The number is taken before the list is read: of several nodes that publish, the highest has every change.
        const next = await database.sql.first(NEXT_SEQ, [gameMode])
        if (!next) continue
        const { leaderboard } = await this.read(gameMode, period)
        hub.publish(leaderboardChannel(gameMode, period), next.seq, leaderboard)
      } catch (error) {
        log.of('scores').warn({ err: error }, 'a leaderboard could not be read')
        this.touch(gameMode, period)
      }
    }
  }

  async #checkDay(): Promise<void> {
    const found = await this.#platform.database.sql.first(MODES_AND_DAY)
    if (!found) return
    const before = this.#day
    this.#day = found.day
    if (before === undefined || before === found.day) return
    for (const gameMode of found.modes) for (const period of Period.options) this.touch(gameMode, period)
  }
}
