import { msOf, type Sql, statement } from '../../db/sql.ts'
import { beforeTime, type PageRequest, readPage } from '../pages.ts'
import type { MatchId, UserId } from '../wire.ts'
import type { ListedRoom, PastRoom, RoomKind } from './types.ts'

/** Values: kind (null: any), time and id that the rows come before, how many. */
const LIST = statement<ListedRoom>(
  'rooms.list',
  `SELECT id, name, kind, capacity, ${msOf('created_at')} AS "createdAt",
     (SELECT count(*)::int FROM room_members WHERE room_id = rooms.id AND left_at IS NULL) AS "memberCount"
   FROM rooms
   WHERE visibility = 'public' AND closed_at IS NULL AND empty_at IS NULL AND match_id IS NULL
     AND ($1::"RoomKind" IS NULL OR kind = $1::"RoomKind")
     AND (created_at, id) < ($2::timestamptz, $3)
   ORDER BY created_at DESC, id DESC LIMIT $4`,
)

/** Public rooms with somebody in them, newest first. */
export function listRooms(sql: Sql, page: PageRequest, kind: RoomKind | undefined) {
  return readPage(page, {
    read: (rows) => sql.rows(LIST, [kind ?? null, ...beforeTime(rows), rows.take]),
    key: ({ createdAt, id }) => ({ rank: createdAt, id }),
    item: (room) => room,
  })
}

interface PastRow {
  readonly row: Omit<PastRoom, 'matchId'> & { readonly matchId: MatchId | null }
  readonly joinedAt: number
}

/** Members in the history of one room, so that a popular chat does not make it endless. */
const MAX_PARTICIPANTS = 100

/** Values: user, time and id that the rows come before, how many. */
const HISTORY = statement<PastRow>(
  'rooms.history',
  `SELECT ${msOf('visit.joined_at')} AS "joinedAt", json_build_object(
     'id', rooms.id, 'name', rooms.name, 'kind', rooms.kind, 'matchId', rooms.match_id,
     'createdAt', ${msOf('rooms.created_at')}, 'closedAt', ${msOf('rooms.closed_at')},
     'durationMs', ${msOf('(coalesce(rooms.closed_at, now()) - rooms.created_at)')},
     'participants', (
       SELECT json_agg(json_build_object('userId', users.id, 'username', users.username,
         'displayName', users.display_name, 'joinedAt', ${msOf('member.first_joined_at')}, 'leftAt', ${msOf('member.left_at')},
         'durationMs', member.spent_ms + CASE WHEN member.left_at IS NULL THEN ${msOf('(now() - member.joined_at)')} ELSE 0 END)
         ORDER BY member.first_joined_at, users.id)
       FROM (SELECT * FROM room_members WHERE room_id = rooms.id ORDER BY first_joined_at, user_id LIMIT ${MAX_PARTICIPANTS}) AS member
       JOIN users ON users.id = member.user_id)) AS row
   FROM room_members AS visit JOIN rooms ON rooms.id = visit.room_id
   WHERE visit.user_id = $1 AND (visit.joined_at, rooms.id) < ($2::timestamptz, $3)
   ORDER BY visit.joined_at DESC, rooms.id DESC LIMIT $4`,
)

/** The rooms that a user is or was in, the last joined first. */
export function readHistory(sql: Sql, page: PageRequest, userId: UserId) {
  return readPage(page, {
    read: (rows) => sql.rows(HISTORY, [userId, ...beforeTime(rows), rows.take]),
    key: ({ joinedAt, row }) => ({ rank: joinedAt, id: row.id }),
    item: ({ row: { matchId, ...row } }): PastRoom => ({ ...row, ...(matchId !== null && { matchId }) }),
  })
}

const EXPORT = statement<{ rooms: unknown; messages: unknown }>(
  'rooms.export',
  `SELECT
     (SELECT coalesce(json_agg(json_build_object('roomId', room_id, 'name', name, 'kind', kind,
        'joinedAt', ${msOf('first_joined_at')}, 'leftAt', ${msOf('left_at')}) ORDER BY first_joined_at), '[]')
      FROM room_members JOIN rooms ON rooms.id = room_id WHERE user_id = $1) AS rooms,
     (SELECT coalesce(json_agg(json_build_object('roomId', room_id, 'text', text, 'at', ${msOf('at')}) ORDER BY at), '[]')
      FROM room_log WHERE user_id = $1 AND text IS NOT NULL) AS messages`,
)

/** What is kept of a user: the rooms of the user, and what the user wrote there. */
export function exportRooms(sql: Sql, userId: string): Promise<unknown> {
  return sql.first(EXPORT, [userId])
}
