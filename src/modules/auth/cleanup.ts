import { type Sql, statement } from '../../db/sql.ts'

/** Of each kind in one run. The next run goes on. */
export const MAX_ROWS = 5_000
const HOUR = 60 * 60_000
const DAY = 24 * HOUR

const DELETE_SESSIONS = statement(
  'auth.deleteSessions',
  `DELETE FROM sessions WHERE id IN (
     SELECT id FROM sessions WHERE expires_at < $1 AND ended_at IS NOT NULL LIMIT ${MAX_ROWS} FOR UPDATE SKIP LOCKED)`,
)

// One that a ban has ended stays while its user is banned, so that the program is told of the ban.
const DELETE_TOKENS = statement(
  'auth.deleteTokens',
  `DELETE FROM tokens WHERE id IN (
     SELECT tokens.id FROM tokens JOIN users ON users.id = user_id WHERE ended_at < $1 AND banned_at IS NULL
     LIMIT ${MAX_ROWS} FOR UPDATE OF tokens SKIP LOCKED)`,
)

const DELETE_TICKETS = statement(
  'auth.deleteTickets',
  `DELETE FROM used_tickets WHERE jti IN (
     SELECT jti FROM used_tickets WHERE expires_at < $1 LIMIT ${MAX_ROWS} FOR UPDATE SKIP LOCKED)`,
)

const DELETE_ATTEMPTS = statement(
  'auth.deleteAttempts',
  `DELETE FROM attempts WHERE key IN (
     SELECT key FROM attempts WHERE window_start < $1 AND (locked_until IS NULL OR locked_until < $1)
     LIMIT ${MAX_ROWS} FOR UPDATE SKIP LOCKED)`,
)

/** Deletes rows that nobody needs any more. `nowMs` is ms since the epoch. */
export async function deleteOldRows(sql: Sql, nowMs: number): Promise<void> {
  // An ended session stays until a day after it would have expired.
  await sql.rows(DELETE_SESSIONS, [new Date(nowMs - DAY)])
  // Nodes look for what ended a while ago, in case they were not told.
  await sql.rows(DELETE_TOKENS, [new Date(nowMs - DAY)])
  // An hour late, because the clocks of nodes differ.
  await sql.rows(DELETE_TICKETS, [new Date(nowMs - HOUR)])
  // No window is longer than a day, and no lock is remembered for longer.
  await sql.rows(DELETE_ATTEMPTS, [new Date(nowMs - DAY)])
}
