import { randomUUID } from 'node:crypto'
import { msOf, type Sql, statement } from '../../db/sql.ts'
import { RpcError } from '../../rpc/index.ts'
import { newJoinCode } from '../matches/index.ts'
import type { MatchId, UserId } from '../wire.ts'
import { type RoomRow, roomRow } from './room-row.ts'
import type { RoomId, RoomKey, RoomKind } from './types.ts'

// Who changes the members of rooms locks the user's row first, if a user comes in, then the rooms by their ids. A statement
// that follows in the same transaction then sees what others have committed. `settle` ends each change.

const LOCK = statement<{ id: RoomId }>(
  'rooms.lock',
  'SELECT id FROM rooms WHERE id = ANY($1) AND closed_at IS NULL ORDER BY id FOR NO KEY UPDATE',
)
const LOCK_BY_CODE = statement<{ id: RoomId }>(
  'rooms.lockByCode',
  'SELECT id FROM rooms WHERE code = $1 AND closed_at IS NULL FOR NO KEY UPDATE',
)

/** Locks open rooms, and answers which there are. */
export async function lockRooms(sql: Sql, ids: readonly string[]): Promise<RoomId[]> {
  return (await sql.rows(LOCK, [ids])).map(({ id }) => id)
}

export interface NewRoom {
  readonly name: string
  readonly kind: RoomKind
  readonly visibility: 'public' | 'private'
  readonly capacity: number
}

/** Values: id, name, kind, visibility, code, capacity. */
const OPEN = statement<{ id: RoomId }>(
  'rooms.open',
  `INSERT INTO rooms (id, name, kind, visibility, code, capacity)
   VALUES ($1, $2, $3::"RoomKind", $4::"MatchVisibility", $5, $6) ON CONFLICT DO NOTHING RETURNING id`,
)

/** Opens a room in which nobody is yet. */
export async function openRoom(sql: Sql, { name, kind, visibility, capacity }: NewRoom): Promise<RoomId> {
  for (let tries = 0; tries < 10; tries++) {
    const opened = await sql.first(OPEN, [randomUUID(), name, kind, visibility, newJoinCode(), capacity])
    if (opened) return opened.id
  }
  throw new Error('no free join code')
}

/** Values: id, match, name, capacity. A room of a match that is closed opens again. */
const OPEN_OF_MATCH = statement<{ id: RoomId }>(
  'rooms.openOfMatch',
  `INSERT INTO rooms (id, name, kind, visibility, capacity, match_id) VALUES ($1, $3, 'chat', 'private', $4, $2)
   ON CONFLICT (match_id) DO UPDATE SET closed_at = NULL RETURNING id`,
)

/** The room of a match, locked. It is made when it is first asked for. */
async function openRoomOfMatch(sql: Sql, matchId: MatchId, capacity: number): Promise<RoomId | null> {
  return (await sql.first(OPEN_OF_MATCH, [randomUUID(), matchId, 'Match', capacity]))?.id ?? null
}

/** Locks the room that a user asks for; null when there is no such open room. */
export async function lockByKey(sql: Sql, key: RoomKey, matchCapacity: number): Promise<RoomId | null> {
  if ('matchId' in key) return openRoomOfMatch(sql, key.matchId, matchCapacity)
  if ('code' in key) return (await sql.first(LOCK_BY_CODE, [key.code]))?.id ?? null
  return (await lockRooms(sql, [key.roomId]))[0] ?? null
}

/** A user who comes into a room. */
export interface Entrant {
  readonly userId: UserId
  /** The node of the socket that asks; null over HTTP. */
  readonly nodeId: string | null
  /** The rooms that one user may be in, and as many chats of matches. */
  readonly maxActive: number
  /** The user comes in although the room is full. */
  readonly hasPlace: boolean
}

interface Entered {
  readonly isMember: boolean
  readonly hasPlace: boolean
  readonly hasRoom: boolean
}

/** Values: room (locked), user, rooms that the user may be in, whether there is a place in any case, whether a socket asks. */
const ENTER = statement<Entered>(
  'rooms.enter',
  `WITH asked AS (
     SELECT rooms.id,
       EXISTS (SELECT FROM room_members WHERE room_id = rooms.id AND user_id = $2 AND left_at IS NULL) AS is_member,
       $4 OR (SELECT count(*) FROM room_members WHERE room_id = rooms.id AND left_at IS NULL) < capacity AS has_place,
       (SELECT count(*) FROM room_members JOIN rooms AS other ON other.id = room_id
        WHERE user_id = $2 AND left_at IS NULL AND (other.match_id IS NULL) = (rooms.match_id IS NULL)) < $3 AS has_room
     FROM rooms WHERE id = $1),
   entered AS (
     INSERT INTO room_members (room_id, user_id, away_since)
     SELECT id, $2, CASE WHEN $5 THEN NULL ELSE now() END FROM asked WHERE NOT is_member AND has_place AND has_room
     ON CONFLICT (room_id, user_id) DO UPDATE
     SET joined_at = now(), left_at = NULL, away_since = excluded.away_since)
   SELECT is_member AS "isMember", has_place AS "hasPlace", has_room AS "hasRoom" FROM asked`,
)

/** Values: room, user, node. */
const ARRIVE = statement(
  'rooms.arrive',
  `INSERT INTO room_presence (room_id, user_id, node_id)
   SELECT room_id, user_id, $3 FROM room_members WHERE room_id = $1 AND user_id = $2 AND left_at IS NULL
   ON CONFLICT DO NOTHING`,
)

/**
 * Takes a place in a locked room. False for a user who has one.
 * @throws RpcError ROOM_FULL, TOO_MANY_ROOMS
 */
export async function enterRoom(sql: Sql, roomId: RoomId, entrant: Entrant): Promise<boolean> {
  const { userId, nodeId, maxActive, hasPlace } = entrant
  const entering = sql.first(ENTER, [roomId, userId, maxActive, hasPlace, nodeId !== null])
  if (nodeId !== null) void sql.rows(ARRIVE, [roomId, userId, nodeId])
  const entered = await entering
  if (!entered) throw new Error('the room is gone although it was locked')
  if (entered.isMember) return false
  if (!entered.hasPlace) throw new RpcError('ROOM_FULL', 'This room is full')
  if (!entered.hasRoom) throw new RpcError('TOO_MANY_ROOMS', 'Leave another room first')
  return true
}

/** Values: rooms (locked), users: pairs. Answers with the rooms that somebody has left. */
const LEAVE = statement<{ id: RoomId }>(
  'rooms.leave',
  `WITH gone AS (SELECT * FROM unnest($1::text[], $2::text[]) AS gone (room_id, user_id)),
   absent AS (
     DELETE FROM room_presence USING gone
     WHERE room_presence.room_id = gone.room_id AND room_presence.user_id = gone.user_id),
   departed AS (
     UPDATE room_members SET left_at = now(), away_since = NULL, spent_ms = spent_ms + ${msOf('(now() - joined_at)')}
     FROM gone WHERE room_members.room_id = gone.room_id AND room_members.user_id = gone.user_id AND left_at IS NULL
     RETURNING room_members.room_id)
   SELECT DISTINCT room_id AS id FROM departed ORDER BY id`,
)

/** A user in a room. */
export interface Place {
  readonly roomId: string
  readonly userId: string
}

/** Ends memberships of locked rooms. Answers with the rooms that somebody has left. */
export async function leaveRooms(sql: Sql, places: readonly Place[]): Promise<RoomId[]> {
  const rows = await sql.rows(LEAVE, [places.map(({ roomId }) => roomId), places.map(({ userId }) => userId)])
  return rows.map(({ id }) => id)
}

/**
 * Values: rooms whose members this transaction has changed. A host who is gone hands over to the member who has been there
 * the longest and has a socket, if one has.
 */
const SETTLE = statement<{ row: RoomRow }>(
  'rooms.settle',
  `UPDATE rooms SET version = version + 1,
     empty_at = CASE WHEN NOT EXISTS (SELECT FROM room_members WHERE room_id = rooms.id AND left_at IS NULL)
       THEN coalesce(empty_at, now()) END,
     host_id = (
       SELECT user_id FROM room_members WHERE room_id = rooms.id AND left_at IS NULL
       ORDER BY user_id IS NOT DISTINCT FROM rooms.host_id DESC, away_since IS NOT NULL, joined_at, user_id LIMIT 1)
   WHERE id = ANY($1) RETURNING ${roomRow('rooms')} AS row`,
)

/** Counts a change of the members of rooms, and decides who is host. Answers with the rooms as they are now. */
export async function settleRooms(sql: Sql, ids: readonly string[]): Promise<RoomRow[]> {
  if (ids.length === 0) return []
  return (await sql.rows(SETTLE, [ids])).map(({ row }) => row)
}
