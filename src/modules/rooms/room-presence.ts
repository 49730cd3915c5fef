import { setTimeout as delay } from 'node:timers/promises'
import { statement } from '../../db/sql.ts'
import type { Platform } from '../platform.ts'
import { inIdempotentTransaction, type Scope } from '../scope.ts'
import type { RoomRow } from './room-row.ts'
import { lockRooms, type Place, settleRooms } from './room-writes.ts'

const RETRY_MS = 500
/** How many members are written at once. */
const BATCH = 200

/** Members with a socket in the room at this node. Values: node, rooms and users as pairs. */
const ARRIVE = statement(
  'rooms.arriveAll',
  `INSERT INTO room_presence (room_id, user_id, node_id)
   SELECT room_id, user_id, $1 FROM room_members
   WHERE (room_id, user_id) IN (SELECT * FROM unnest($2::text[], $3::text[])) AND left_at IS NULL
   ON CONFLICT DO NOTHING`,
)
/** Members without one. Values as above. */
const DEPART = statement(
  'rooms.departAll',
  `DELETE FROM room_presence
   WHERE node_id = $1 AND (room_id, user_id) IN (SELECT * FROM unnest($2::text[], $3::text[]))`,
)
const DEPART_NODE = statement('rooms.departNode', 'DELETE FROM room_presence WHERE node_id = $1')

/** Writes with the members of locked rooms whether they are away. Answers with the rooms in which that has changed. */
const MARK_AWAY = statement<{ id: string }>(
  'rooms.markAway',
  `WITH changed AS (
     UPDATE room_members SET away_since = CASE WHEN away_since IS NULL THEN now() END
     WHERE room_id = ANY($1) AND left_at IS NULL AND (away_since IS NULL) <> EXISTS (
       SELECT FROM room_presence
       WHERE room_presence.room_id = room_members.room_id AND room_presence.user_id = room_members.user_id)
     RETURNING room_id)
   SELECT DISTINCT room_id AS id FROM changed ORDER BY id`,
)

/** Writes who is away from locked rooms. Answers with the rooms in which that has changed. */
export async function markAway({ sql }: Scope, roomIds: readonly string[]): Promise<string[]> {
  return (await sql.rows(MARK_AWAY, [roomIds])).map(({ id }) => id)
}

/**
 * Writes which members have a socket in a room: a row for each room, member and node, and with the member since when there
 * is none. What cannot be written is written later, as it is then.
 */
export class RoomPresence {
  readonly #platform: Platform
  readonly #isHere: (roomId: string, userId: string) => boolean
  readonly #announce: (scope: Scope, row: RoomRow) => void
  #due = new Map<string, Place>()
  readonly #stopping = new AbortController()
  #working: Promise<void> | undefined

  constructor(
    platform: Platform,
    isHere: (roomId: string, userId: string) => boolean,
    announce: (scope: Scope, row: RoomRow) => void,
  ) {
    this.#platform = platform
    this.#isHere = isHere
    this.#announce = announce
  }

  /** Writes whether the member has a socket in the room here: sockets came or went. */
  update(roomId: string, userId: string): void {
    if (this.#stopping.signal.aborted) return
    this.#due.set(`${roomId} ${userId}`, { roomId, userId })
    this.#working ??= this.#work()
  }

  /**
   * Ends what is under way, and writes that nobody has a socket here any more. Others then count the time away. Never rejects:
   * the rows go with the row of this node.
   */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#due.clear()
    await this.#working
    try {
      await this.#platform.database.sql.rows(DEPART_NODE, [this.#platform.node])
    } catch (err) {
      this.#platform.log.of('rooms').warn({ err }, 'who was in rooms here could not be written')
    }
  }

  async #work(): Promise<void> {
    // Events of one turn are written together.
    await Promise.resolve()
    const { signal } = this.#stopping
    while (this.#due.size > 0 && !signal.aborted) {
      const places = [...this.#due].slice(0, BATCH)
      for (const [key] of places) this.#due.delete(key)
      try {
        await this.#write(places.map(([, place]) => place))
      } catch (err) {
        if (signal.aborted) break
        this.#platform.log.of('rooms').warn({ err, members: places.length }, 'who is in rooms could not be written')
        this.#due = new Map([...places, ...this.#due])
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined)
      }
    }
    this.#working = undefined
  }

  async #write(places: readonly Place[]): Promise<void> {
    const { node } = this.#platform
    const ids = [...new Set(places.map(({ roomId }) => roomId))]
    const valuesOf = (some: readonly Place[]) => [
      node,
      some.map(({ roomId }) => roomId),
      some.map(({ userId }) => userId),
    ]
    await inIdempotentTransaction(this.#platform, async (scope) => {
      const open = await lockRooms(scope.sql, ids)
      const here = places.filter(({ roomId, userId }) => this.#isHere(roomId, userId))
      void scope.sql.rows(ARRIVE, valuesOf(here))
      void scope.sql.rows(DEPART, valuesOf(places.filter((place) => !here.includes(place))))
      const changed = await markAway(scope, open)
      for (const row of await settleRooms(scope.sql, changed)) this.#announce(scope, row)
    })
  }
}
