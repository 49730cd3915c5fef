import { msOf, type Sql, statement } from '../../db/sql.ts'
import { isBannedAt } from '../auth/index.ts'
import type { UserId } from '../wire.ts'
import type { LogEntry, RoomWithLog } from './room-row.ts'
import { toRoom } from './room-row.ts'
import { type ChatMessage, MAX_CLAIMS, type RoomEvent, type RoomId, type RoomSnapshot } from './types.ts'

/** Messages that a stream of a room opens with. */
export const SNAPSHOT_MESSAGES = 50
/** Events that a client who comes back gets one by one. */
export const MAX_MISSED = 200
/** The log is cut to its length once in so many events. */
const TRIM_EVERY = 64

/** Values: room, user, text. Null for who is not in the room, or is banned. The room's row gives the number. */
const SAY = statement<ChatMessage>(
  'rooms.say',
  `WITH writer AS (
     SELECT users.id, username, display_name FROM room_members JOIN users ON users.id = user_id
     WHERE room_id = $1 AND user_id = $2 AND left_at IS NULL AND NOT ${isBannedAt('now()')}),
   counted AS (
     UPDATE rooms SET version = version + 1 WHERE id = $1 AND EXISTS (SELECT FROM writer) RETURNING version),
   said AS (
     INSERT INTO room_log (room_id, seq, user_id, text, at) SELECT $1, version, $2, $3, clock_timestamp() FROM counted
     RETURNING seq, at)
   SELECT seq, writer.id AS "userId", username, display_name AS "displayName", $3 AS text,
     ${msOf('at')} AS at
   FROM said, writer`,
)

/** Writes a message. Null for who is not in the room, or is banned. */
export async function say(sql: Sql, roomId: RoomId, userId: UserId, text: string): Promise<ChatMessage | null> {
  return sql.first(SAY, [roomId, userId, text])
}

interface Claimed {
  readonly isMember: boolean
  /** Null when too much is claimed, or when the account of the first one was deleted. */
  readonly holderId: UserId | null
  readonly isKnown: boolean
  /** Of the event, if this claim is the first one. */
  readonly seq: number | null
}

/**
 * Values: room, key, user. Of several transactions that insert one key, the first one's row stays; the others wait for it
 * and get that row back, so each learns who was first.
 */
const CLAIM = statement<Claimed>(
  'rooms.claim',
  `WITH member AS (SELECT FROM room_members WHERE room_id = $1 AND user_id = $3 AND left_at IS NULL),
   claimed AS (
     INSERT INTO room_claims (room_id, key, user_id)
     SELECT $1, $2, $3 FROM member
     WHERE (SELECT count(*) FROM room_claims WHERE room_id = $1 AND key <> $2) < ${MAX_CLAIMS}
     ON CONFLICT (room_id, key) DO UPDATE SET key = excluded.key
     RETURNING user_id, xmax = 0 AS is_new),
   counted AS (
     UPDATE rooms SET version = version + 1 WHERE id = $1 AND EXISTS (SELECT FROM claimed WHERE is_new) RETURNING version),
   noted AS (
     INSERT INTO room_log (room_id, seq, user_id, key, at) SELECT $1, version, $3, $2, clock_timestamp() FROM counted)
   SELECT EXISTS (SELECT FROM member) AS "isMember", EXISTS (SELECT FROM claimed) AS "isKnown",
     (SELECT user_id FROM claimed) AS "holderId", (SELECT version FROM counted) AS seq`,
)

/** Claims a key for a user, if nobody has it. */
export async function claimKey(sql: Sql, roomId: RoomId, key: string, userId: UserId): Promise<Claimed> {
  const claimed = await sql.first(CLAIM, [roomId, key, userId])
  if (!claimed) throw new Error('a claim was not answered')
  return claimed
}

/** Values: room, how many messages and claims stay. The room's row is locked. */
const TRIM = statement(
  'rooms.trim',
  `WITH trimmed AS (
     DELETE FROM room_log WHERE room_id = $1 AND seq <= (
       SELECT seq FROM room_log WHERE room_id = $1 ORDER BY seq DESC OFFSET $2 LIMIT 1)
     RETURNING seq)
   UPDATE rooms SET trimmed_seq = greatest(trimmed_seq, (SELECT max(seq) FROM trimmed)) WHERE id = $1`,
)

/** Cuts the log of a room to its length, in the transaction that has added to it. */
export function trimLog(sql: Sql, roomId: RoomId, seq: number, length: number): void {
  if (seq % TRIM_EVERY === 0) void sql.rows(TRIM, [roomId, length])
}

/** What a stream of a room opens with: its state, or what was missed after `since`. */
export function openLog(
  { row, claims, chat, log, trimmedSeq }: RoomWithLog,
  since: number | undefined,
): { snapshot: RoomSnapshot; gap?: true } | { missed: { seq: number; data: RoomEvent }[] } {
  const room = toRoom(row)
  const snapshot = { room, chat: chat.map(toMessage), claims: [...claims] }
  if (since === undefined) return { snapshot }
  if (since < trimmedSeq || since > row.version || log.length > MAX_MISSED) return { snapshot, gap: true }
  const missed = log.map((entry) => ({ seq: entry.seq, data: toEvent(entry) }))
  if (missed.length === row.version - since) return { missed }
  // The other numbers are changes of the room, of which the newest state is enough: it has the highest of them.
  const known = new Set(missed.map(({ seq }) => seq))
  let seq = row.version
  while (known.has(seq)) seq--
  missed.push({ seq, data: { kind: 'room', room } })
  return { missed: missed.sort((a, b) => a.seq - b.seq) }
}

function toEvent(entry: LogEntry): RoomEvent {
  const { key, userId } = entry
  return key === null ? { kind: 'chat', ...toMessage(entry) } : { kind: 'claim', key, userId }
}

function toMessage({ seq, userId, username, displayName, text, at }: ChatMessage): ChatMessage {
  return { seq, userId, username, displayName, text, at }
}
