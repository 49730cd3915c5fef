import { msOf, type Sql, statement } from '../../db/sql.ts'
import type { MatchId, UserId } from '../wire.ts'
import type { ChatMessage, Claim, Room, RoomId, RoomKey } from './types.ts'

/** A room with its members as SQL gives it. */
export interface RoomRow extends Omit<Room, 'matchId'> {
  readonly matchId: MatchId | null
  readonly closedAt: number | null
}

/** SQL for a `RoomRow`; `room` is the name of what holds its columns. It sees what earlier statements have changed. */
export function roomRow(room: string): string {
  return `json_build_object(
    'id', ${room}.id, 'name', ${room}.name, 'kind', ${room}.kind, 'visibility', ${room}.visibility, 'code', ${room}.code,
    'capacity', ${room}.capacity, 'hostId', ${room}.host_id, 'version', ${room}.version,
    'createdAt', ${msOf(`${room}.created_at`)}, 'closedAt', ${msOf(`${room}.closed_at`)}, 'matchId', ${room}.match_id,
    'members', coalesce((
      SELECT json_agg(json_build_object('userId', member.user_id, 'username', member_user.username,
        'displayName', member_user.display_name, 'connected', member.away_since IS NULL,
        'joinedAt', ${msOf('member.joined_at')}) ORDER BY member.joined_at, member.user_id)
      FROM room_members AS member JOIN users AS member_user ON member_user.id = member.user_id
      WHERE member.room_id = ${room}.id AND member.left_at IS NULL), '[]'))`
}

/** The room as it is on the wire. */
export function toRoom({ matchId, closedAt, ...room }: RoomRow): Room {
  return { ...room, ...(matchId !== null && { matchId }) }
}

const BY_IDS = statement<{ row: RoomRow }>(
  'rooms.byIds',
  `SELECT ${roomRow('rooms')} AS row FROM rooms WHERE id = ANY($1)`,
)

/** Rooms in no particular order. */
export async function readRooms(sql: Sql, ids: readonly string[]): Promise<RoomRow[]> {
  return (await sql.rows(BY_IDS, [ids])).map(({ row }) => row)
}

/** What was said or claimed, of the log of a room. */
export interface LogEntry extends ChatMessage {
  /** What was claimed; null for what was said. */
  readonly key: string | null
}

export interface RoomWithLog {
  readonly row: RoomRow
  /** Entries up to this one may have been deleted. */
  readonly trimmedSeq: number
  readonly claims: readonly Claim[]
  /** Entries after the given one, oldest first. One more than was asked for when there are more. */
  readonly log: readonly LogEntry[]
  /** The newest messages, oldest first. */
  readonly chat: readonly ChatMessage[]
}

const ENTRY = `json_build_object('seq', entry.seq, 'userId', entry.user_id, 'username', writer.username,
  'displayName', writer.display_name, 'text', entry.text, 'key', entry.key, 'at', ${msOf('entry.at')})`

/** Values: room, `since` (null: no log), how many of the log, how many messages. One statement: one state of the room. */
const WITH_LOG = statement<RoomWithLog>(
  'rooms.withLog',
  `SELECT ${roomRow('rooms')} AS row, trimmed_seq AS "trimmedSeq",
     (SELECT coalesce(json_agg(json_build_object('key', key, 'userId', user_id) ORDER BY claimed_at, key), '[]')
      FROM room_claims WHERE room_id = rooms.id) AS claims,
     (SELECT coalesce(json_agg(${ENTRY} ORDER BY entry.seq), '[]') FROM (
        SELECT * FROM room_log WHERE room_id = rooms.id AND seq > $2 ORDER BY seq LIMIT $3) AS entry
      JOIN users AS writer ON writer.id = entry.user_id) AS log,
     (SELECT coalesce(json_agg(${ENTRY} ORDER BY entry.seq), '[]') FROM (
        SELECT * FROM room_log WHERE room_id = rooms.id AND text IS NOT NULL ORDER BY seq DESC LIMIT $4) AS entry
      JOIN users AS writer ON writer.id = entry.user_id) AS chat
   FROM rooms WHERE id = $1`,
)

/** A room with its log after `since`, or with its newest messages where that is undefined; null without such a room. */
export function readWithLog(
  sql: Sql,
  roomId: RoomId,
  since: number | undefined,
  limits: { readonly log: number; readonly chat: number },
): Promise<RoomWithLog | null> {
  return sql.first(WITH_LOG, [roomId, since ?? null, limits.log, limits.chat])
}

const MATCH_OF = statement<{ matchId: MatchId | null }>(
  'rooms.matchOf',
  'SELECT match_id AS "matchId" FROM rooms WHERE id = $1',
)

/** The match whose chat is asked for; null for another room. The chat of a match has no code. */
export async function matchOf(sql: Sql, key: RoomKey): Promise<MatchId | null> {
  if ('matchId' in key) return key.matchId
  return 'roomId' in key ? ((await sql.first(MATCH_OF, [key.roomId]))?.matchId ?? null) : null
}

const IS_MEMBER = statement<{ userId: UserId }>(
  'rooms.isMember',
  'SELECT user_id AS "userId" FROM room_members WHERE room_id = $1 AND user_id = $2 AND left_at IS NULL',
)

export async function isMember(sql: Sql, roomId: RoomId, userId: UserId): Promise<boolean> {
  return (await sql.first(IS_MEMBER, [roomId, userId])) !== null
}

const ROOMS_OF = statement<{ id: RoomId }>(
  'rooms.ofUser',
  'SELECT room_id AS id FROM room_members WHERE user_id = $1 AND left_at IS NULL',
)

/** The rooms that a user is in. */
export async function roomsOf(sql: Sql, userId: UserId): Promise<RoomId[]> {
  return (await sql.rows(ROOMS_OF, [userId])).map(({ id }) => id)
}
