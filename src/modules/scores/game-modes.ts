import { type Sql, statement } from '../../db/sql.ts'
import { playersOf } from './leaderboard-rows.ts'
import type { GameModeSummary } from './types.ts'

const MAX_LISTED = 50
/** The list is read again so often at most. */
const FRESH_MS = 5_000

const MODES = statement<GameModeSummary>(
  'scores.modes',
  `SELECT game_mode AS "gameMode", ${playersOf('board.id')} AS players FROM leaderboards AS board
   WHERE period = 'all' ORDER BY players DESC, game_mode LIMIT ${MAX_LISTED}`,
)

/** The game modes with the most players. Requests of the same seconds share one query. */
export class GameModes {
  readonly #sql: Sql
  #readAt = Number.NEGATIVE_INFINITY
  #list: Promise<GameModeSummary[]> = Promise.resolve([])

  constructor(sql: Sql) {
    this.#sql = sql
  }

  list(): Promise<GameModeSummary[]> {
    const now = performance.now()
    if (now - this.#readAt < FRESH_MS) return this.#list
    this.#readAt = now
    this.#list = this.#sql.rows(MODES)
    this.#list.catch(() => {
      this.#readAt = Number.NEGATIVE_INFINITY
    })
    return this.#list
  }

  /** There is a new mode. */
  forget(): void {
    this.#readAt = Number.NEGATIVE_INFINITY
  }
}
