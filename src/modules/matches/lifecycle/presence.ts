import { setTimeout as delay } from 'node:timers/promises'
import { statement } from '../../../db/sql.ts'
import type { Platform } from '../../platform.ts'
import { inIdempotentTransaction } from '../../scope.ts'
import type { MatchFeed } from '../match-feed.ts'
import { readMatches } from '../match-row.ts'

const GATHER_MS = 10
const RETRY_MS = 500
/** How many users are written at once. */
const BATCH = 200

/** Locks the waiting and live matches in which any of the users has a seat. Values: users. */
const LOCK_OPEN_OF = statement<{ id: string }>(
  'presence.lockMatches',
  `SELECT id FROM matches
   WHERE status IN ('waiting', 'live') AND id IN (SELECT match_id FROM seats WHERE user_id = ANY($1))
   ORDER BY id FOR NO KEY UPDATE`,
)

/** Users who have a socket to the node, and users who have none. Values: node, users. */
const ARRIVE = statement(
  'presence.arrive',
  `INSERT INTO presence (user_id, node_id) SELECT id, $1 FROM users WHERE id = ANY($2) ORDER BY id
   ON CONFLICT DO NOTHING`,
)

const DEPART = statement('presence.depart', 'DELETE FROM presence WHERE node_id = $1 AND user_id = ANY($2)')
const DEPART_ALL = statement('presence.departAll', 'DELETE FROM presence WHERE node_id = $1')

/** Writes with seats whether their players are connected. Values: locked matches; `returnBy` for who goes away now. */
const CONNECT_SEATS = statement<{ id: string }>(
  'presence.connectSeats',
  `WITH changed AS (
     UPDATE seats SET connected = NOT connected, return_by = CASE WHEN connected THEN $2::timestamptz END
     WHERE match_id = ANY($1) AND user_id IS NOT NULL
       AND connected <> EXISTS (SELECT 1 FROM presence WHERE presence.user_id = seats.user_id)
     RETURNING match_id)
   SELECT DISTINCT match_id AS id FROM changed ORDER BY id`,
)

/** Users with a seat in a waiting or live match that is not as `presence` says. */
const OUTDATED_USERS = statement<{ userId: string }>(
  'presence.outdatedUsers',
  `SELECT DISTINCT seats.user_id AS "userId" FROM seats JOIN matches ON matches.id = seats.match_id
   WHERE matches.status IN ('waiting', 'live') AND seats.user_id IS NOT NULL
     AND seats.connected <> EXISTS (SELECT 1 FROM presence WHERE presence.user_id = seats.user_id)
   LIMIT ${BATCH}`,
)

/**
 * Writes who is connected: a row for each user and node, and with the seats of waiting and live matches whether their
 * players have any such row. A player who goes away from a live match has `matches.comeBackMs` (`src/config.ts`) to come
 * back. What cannot be written is written later, as it is then.
 */
export class Presence {
  readonly #platform: Platform
  readonly #feed: MatchFeed
  readonly #listeners: ((userIds: readonly string[]) => void)[] = []
  #due = new Set<string>()
  readonly #stopping = new AbortController()
  #working: Promise<void> | undefined

  constructor(platform: Platform, feed: MatchFeed) {
    this.#platform = platform
    this.#feed = feed
  }

  /** Listens to what this node has written: the users who may be connected or away now. */
  onWritten(listener: (userIds: readonly string[]) => void): void {
    this.#listeners.push(listener)
  }

  /** Writes whether the user is connected: sockets of the user came or went. */
  update(userId: string): void {
    if (this.#stopping.signal.aborted) return
    this.#due.add(userId)
    this.#working ??= this.#work()
  }

  /** Writes all users of this node again: their rows were deleted with its lease. */
  updateAll(): void {
    for (const userId of this.#platform.connections.users()) this.update(userId)
  }

  /** Corrects seats whose players came or went without their node writing it, because it died. */
  async correctSeats(): Promise<void> {
    for (const userId of await this.#outdated()) this.update(userId)
  }

  /** Ends what is under way, and writes that nobody has a socket to this node any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#due.clear()
    await this.#working
    await this.#platform.database.sql.rows(DEPART_ALL, [this.#platform.node])
    for (let users = await this.#outdated(); users.length > 0; users = await this.#outdated()) {
      await this.#write(users, false)
    }
  }

  async #outdated(): Promise<string[]> {
    const rows = await this.#platform.database.sql.rows(OUTDATED_USERS)
    return rows.map(({ userId }) => userId)
  }

  async #work(): Promise<void> {
    // Events of one turn, as of a page that is loaded again, are written together.
    await Promise.resolve()
    const { signal } = this.#stopping
    let isRepeated = false
    while (this.#due.size > 0 && !signal.aborted) {
      const users = [...this.#due].slice(0, BATCH)
      for (const userId of users) this.#due.delete(userId)
      try {
        await this.#write(users, isRepeated)
        isRepeated = false
        // Users who come back one by one are written by the dozen.
        if (this.#due.size > 0) await delay(GATHER_MS, undefined, { signal }).catch(() => undefined)
      } catch (error) {
        if (signal.aborted) break
        const log = this.#platform.log.of('matches')
        log.warn({ err: error, users: users.length }, 'who is connected could not be written')
        isRepeated = true
        this.#due = new Set([...users, ...this.#due])
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
    }
    this.#working = undefined
  }

  /**
   * Locks the matches first: of two nodes that write for one user, the second sees what the first wrote. A repetition
   * announces all matches, because the first attempt may have been committed.
   */
  async #write(users: readonly string[], isRepeated: boolean): Promise<void> {
    const { node, connections } = this.#platform
    const isHere = (userId: string) => connections.isOnline(userId) && !this.#stopping.signal.aborted
    let isUnsure = isRepeated
    await inIdempotentTransaction(this.#platform, async (scope) => {
      const isAnnounced = !isUnsure
      isUnsure = true
      const locking = scope.sql.rows(LOCK_OPEN_OF, [users])
      void scope.sql.rows(ARRIVE, [node, users.filter(isHere)])
      void scope.sql.rows(DEPART, [node, users.filter((userId) => !isHere(userId))])
      scope.afterCommit(() => {
        for (const listener of this.#listeners) listener(users)
      })
      const matchIds = (await locking).map(({ id }) => id)
      if (matchIds.length === 0) return
      const returnBy = new Date(Date.now() + this.#platform.config.matches.comeBackMs)
      const changed = (await scope.sql.rows(CONNECT_SEATS, [matchIds, returnBy])).map(({ id }) => id)
      if (changed.length > 0) await this.#feed.announceSeats(scope, changed)
      const others = isAnnounced ? [] : matchIds.filter((id) => !changed.includes(id))
      if (others.length === 0) return
      for (const row of await readMatches(scope.sql, others)) this.#feed.announce(scope, row)
    })
  }
}
