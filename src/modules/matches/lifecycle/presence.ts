import { setTimeout as delay } from 'node:timers/promises'
import { statement } from '../../../db/sql.ts'
import type { Platform } from '../../platform.ts'
import { inTransaction } from '../../scope.ts'
import type { MatchFeed } from '../match-feed.ts'
import { readMatches } from '../match-row.ts'

const GATHER_MS = 10
const RETRY_MS = 500
/** How many users are written at once. */
const BATCH = 200

/** Locks the matches that are not over in which any of the users has a seat. Values: users. */
const LOCK_OPEN_OF = statement<{ id: string }>(
  'presence.lockMatches',
  `SELECT id FROM matches
   WHERE status IN ('waiting', 'live') AND id IN (SELECT match_id FROM seats WHERE user_id = ANY($1))
   ORDER BY id FOR NO KEY UPDATE`,
)

/** Inserts users who have a socket to a process now. Values: node, users. */
const ARRIVE = statement(
  'presence.arrive',
  `INSERT INTO presence (user_id, node_id) SELECT id, $1 FROM users WHERE id = ANY($2) ORDER BY id
   ON CONFLICT DO NOTHING`,
)

/** Deletes users who have no socket to a process any more. Values: node, users. */
const DEPART = statement('presence.depart', 'DELETE FROM presence WHERE node_id = $1 AND user_id = ANY($2)')

/** Deletes all users of a process. Values: node. */
const DEPART_ALL = statement('presence.departAll', 'DELETE FROM presence WHERE node_id = $1')

/**
 * Updates seats by who is connected to any node. Answers with the matches of the seats that changed. Values: matches,
 * which are locked; until when a player who goes away now can come back.
 */
const CONNECT_SEATS = statement<{ id: string }>(
  'presence.connectSeats',
  `WITH changed AS (
     UPDATE seats SET connected = NOT connected, return_by = CASE WHEN connected THEN $2::timestamptz END
     WHERE match_id = ANY($1) AND user_id IS NOT NULL
       AND connected <> EXISTS (SELECT 1 FROM presence WHERE presence.user_id = seats.user_id)
     RETURNING match_id)
   SELECT DISTINCT match_id AS id FROM changed ORDER BY id`,
)

/** Users whose seats, in matches that are not over, do not say whether they are connected. */
const OUTDATED_USERS = statement<{ userId: string }>(
  'presence.outdatedUsers',
  `SELECT DISTINCT seats.user_id AS "userId" FROM seats JOIN matches ON matches.id = seats.match_id
   WHERE matches.status IN ('waiting', 'live') AND seats.user_id IS NOT NULL
     AND seats.connected <> EXISTS (SELECT 1 FROM presence WHERE presence.user_id = seats.user_id)
   LIMIT ${BATCH}`,
)

/**
 * Writes who is connected: a row for each user and process. The seats of matches that are not over say whether their
 * player has such a row. So a player is connected while any process has a socket of theirs. What cannot be written while
 * the database is away is written later: only the newest value counts, so there is one entry for each user.
 */
export class Presence {
  readonly #platform: Platform
  readonly #feed: MatchFeed
  #due = new Set<string>()
  readonly #stopping = new AbortController()
  #working: Promise<void> | undefined

  constructor(platform: Platform, feed: MatchFeed) {
    this.#platform = platform
    this.#feed = feed
  }

  /** Call this when sockets of the user came or went, or may have while the user took a seat. */
  note(userId: string): void {
    if (this.#stopping.signal.aborted) return
    this.#due.add(userId)
    this.#working ??= this.#work()
  }

  /** Writes every user again: the rows were deleted with the lease of this process. */
  noteAll(): void {
    for (const userId of this.#platform.connections.users()) this.note(userId)
  }

  /** Finds users whose process did not write that they came or went, because it died. */
  async heal(): Promise<void> {
    for (const userId of await this.#outdated()) this.note(userId)
  }

  /** Waits for what is under way, and writes that nobody has a socket to this process any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#due.clear()
    await this.#working
    await this.#platform.database.sql.rows(DEPART_ALL, [this.#platform.node])
    for (let users = await this.#outdated(); users.length > 0; users = await this.#outdated()) {
      await this.#settle(users, false)
    }
  }

  async #outdated(): Promise<string[]> {
    const rows = await this.#platform.database.sql.rows(OUTDATED_USERS)
    return rows.map(({ userId }) => userId)
  }

  async #work(): Promise<void> {
    // A reload closes one socket and opens another: both are handled together.
    await Promise.resolve()
    const { signal } = this.#stopping
    let isRepeated = false
    while (this.#due.size > 0 && !signal.aborted) {
      const users = [...this.#due].slice(0, BATCH)
      for (const userId of users) this.#due.delete(userId)
      try {
        await this.#settle(users, isRepeated)
        isRepeated = false
        // Many users who come back one by one are written in batches.
        if (this.#due.size > 0) await delay(GATHER_MS, undefined, { signal }).catch(() => undefined)
      } catch (error) {
        if (signal.aborted) break
        this.#platform.log
          .of('matches')
          .warn({ err: error, users: users.length }, 'who is connected could not be noted')
        isRepeated = true
        this.#due = new Set([...users, ...this.#due])
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
    }
    this.#working = undefined
  }

  /**
   * The matches are locked first, so that of two processes that write for one user the second sees what the first wrote.
   * After a repetition everything is announced: the first attempt may have been committed without an answer.
   */
  async #settle(users: readonly string[], isRepeated: boolean): Promise<void> {
    const { node, connections } = this.#platform
    const isHere = (userId: string) => connections.isOnline(userId) && !this.#stopping.signal.aborted
    let isUnsure = isRepeated
    await inTransaction(
      this.#platform,
      async (scope) => {
        const isAnnounced = !isUnsure
        isUnsure = true
        const locking = scope.sql.rows(LOCK_OPEN_OF, [users])
        void scope.sql.rows(ARRIVE, [node, users.filter(isHere)])
        void scope.sql.rows(DEPART, [node, users.filter((userId) => !isHere(userId))])
        const matchIds = (await locking).map(({ id }) => id)
        if (matchIds.length === 0) return
        const returnBy = new Date(Date.now() + this.#platform.config.matches.comeBackMs)
        const changed = (await scope.sql.rows(CONNECT_SEATS, [matchIds, returnBy])).map(({ id }) => id)
        if (changed.length > 0) await this.#feed.announceSeats(scope, changed)
        const others = isAnnounced ? [] : matchIds.filter((id) => !changed.includes(id))
        for (const row of others.length > 0 ? await readMatches(scope.sql, others) : []) {
          this.#feed.announce(scope, row)
        }
      },
      { idempotent: true },
    )
  }
}
