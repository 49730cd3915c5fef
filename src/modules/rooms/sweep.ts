import { statement } from '../../db/sql.ts'
import type { JobContext } from '../periodic-jobs.ts'
import { markAway } from './room-presence.ts'
import { leaveRooms, lockRooms, type Place, settleRooms } from './room-writes.ts'
import { roomService } from './service.ts'

/** The most rooms that one run changes. The next one goes on. */
const BATCH = 200

/**
 * SQL: who is in the chat of a match that spectators see later, without a seat in it: the node that was to take out a player
 * who gave up the seat has failed.
 */
const UNSEATED = `SELECT room_id, room_members.user_id FROM room_members
  JOIN rooms ON rooms.id = room_id
  JOIN matches ON matches.id = rooms.match_id AND matches.status IN ('waiting', 'live')
    AND (matches.options ->> 'spectatorDelayMs')::int > 0
  WHERE room_members.left_at IS NULL AND NOT EXISTS (
    SELECT FROM seats WHERE seats.match_id = matches.id AND seats.user_id = room_members.user_id)`

/**
 * Rooms in which somebody has been away for too long, whose members came or went without their node writing it, whose
 * host was deleted, or in which somebody has no seat. Values: how long a member may be away, ms.
 */
const OUTDATED = statement<{ id: string }>(
  'rooms.outdated',
  `SELECT DISTINCT room_id AS id FROM room_members
   WHERE left_at IS NULL AND (away_since < now() - $1 * interval '1 ms'
     OR (away_since IS NULL) <> EXISTS (
       SELECT FROM room_presence
       WHERE room_presence.room_id = room_members.room_id AND room_presence.user_id = room_members.user_id))
   UNION SELECT room_id FROM (${UNSEATED}) AS unseated
   UNION SELECT id FROM rooms WHERE host_id IS NULL AND empty_at IS NULL AND closed_at IS NULL
   LIMIT ${BATCH}`,
)

/** Members of locked rooms who have been away for too long or have no seat. Values: rooms, how long a member may be away, ms. */
const OVERDUE = statement<Place>(
  'rooms.overdue',
  `SELECT room_id AS "roomId", user_id AS "userId" FROM room_members
   WHERE room_id = ANY($1) AND left_at IS NULL AND away_since < now() - $2 * interval '1 ms'
   UNION SELECT room_id, user_id FROM (${UNSEATED}) AS unseated WHERE room_id = ANY($1)`,
)

/** Values: for how long a room may be empty, ms. */
const CLOSE_EMPTY = statement<{ id: string }>(
  'rooms.closeEmpty',
  `UPDATE rooms SET closed_at = empty_at, code = NULL WHERE id IN (
     SELECT id FROM rooms WHERE closed_at IS NULL AND empty_at < now() - $1 * interval '1 ms'
     ORDER BY id LIMIT ${BATCH} FOR NO KEY UPDATE SKIP LOCKED)
   RETURNING id`,
)

/** Takes out who has been away for too long or may not be there, and closes rooms that have been empty for too long. */
export async function sweep(ctx: JobContext): Promise<void> {
  const service = ctx.use(roomService)
  const { comeBackMs, emptyMs } = service.times
  const outdated = (await ctx.sql.rows(OUTDATED, [comeBackMs])).map(({ id }) => id)
  if (outdated.length > 0) {
    const open = await lockRooms(ctx.sql, outdated)
    await markAway(ctx, open)
    await leaveRooms(ctx.sql, await ctx.sql.rows(OVERDUE, [open, comeBackMs]))
    for (const row of await settleRooms(ctx.sql, open)) service.announce(ctx, row)
  }
  const closed = await ctx.sql.rows(CLOSE_EMPTY, [emptyMs])
  if (closed.length > 0) ctx.log.debug({ rooms: closed.length }, 'closed empty rooms')
}

/** Values: days. */
const DELETE_MESSAGES = statement(
  'rooms.deleteMessages',
  `WITH deleted AS (
     DELETE FROM room_log WHERE (room_id, seq) IN (
       SELECT room_id, seq FROM room_log WHERE at < now() - make_interval(days => $1) ORDER BY at LIMIT 5000)
     RETURNING room_id, seq)
   UPDATE rooms SET trimmed_seq = greatest(trimmed_seq, newest.seq)
   FROM (SELECT room_id, max(seq) AS seq FROM deleted GROUP BY room_id ORDER BY room_id) AS newest
   WHERE rooms.id = newest.room_id`,
)

/** Values: days. */
const DELETE_ROOMS = statement(
  'rooms.deleteClosed',
  `DELETE FROM rooms WHERE id IN (
     SELECT id FROM rooms WHERE closed_at < now() - make_interval(days => $1)
     ORDER BY closed_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)`,
)

/** Deletes old messages, and rooms that closed long ago: a bounded number, and the next run goes on. */
export async function deleteOld({ sql, use }: JobContext): Promise<void> {
  const { chatDays, historyDays } = use(roomService).times
  await sql.rows(DELETE_MESSAGES, [chatDays])
  await sql.rows(DELETE_ROOMS, [historyDays])
}
