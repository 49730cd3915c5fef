import { type Sql, statement } from '../../../db/sql.ts'
import type { CallerUser } from '../../../rpc/index.ts'

/** A session that was looked up, whether it has ended or not, and its user. */
export interface SessionRow {
  readonly id: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly endedAt: Date | null
  readonly user: CallerUser
}

interface UserColumns {
  readonly userId: string
  readonly username: string
  readonly displayName: string
  readonly userCreatedAt: Date
}

type Columns = Omit<SessionRow, 'user'> & UserColumns

const USER_COLUMNS = `users.id AS "userId", users.username, users.display_name AS "displayName",
  users.created_at AS "userCreatedAt"`
const SESSION_COLUMNS = `sessions.id, sessions.created_at AS "createdAt", sessions.last_seen_at AS "lastSeenAt",
  sessions.expires_at AS "expiresAt", sessions.ended_at AS "endedAt"`

const BY_ID = statement<Columns>(
  'sessions.byId',
  `SELECT ${SESSION_COLUMNS}, ${USER_COLUMNS}
   FROM sessions JOIN users ON users.id = sessions.user_id
   WHERE sessions.id = ANY ($1::text[])`,
)

// Two nodes may see the same sessions at once: neither waits for the other.
const TOUCH = statement(
  'sessions.touch',
  `UPDATE sessions SET last_seen_at = $2 WHERE id IN (
     SELECT id FROM sessions WHERE id = ANY ($1::text[]) FOR UPDATE SKIP LOCKED)`,
)

const EXTEND = statement<Columns>(
  'sessions.extend',
  `UPDATE sessions SET expires_at = $4, last_seen_at = $3
   FROM users WHERE users.id = sessions.user_id
     AND sessions.id = $1 AND sessions.user_id = $2 AND sessions.ended_at IS NULL AND sessions.expires_at > $3
   RETURNING ${SESSION_COLUMNS}, ${USER_COLUMNS}`,
)

// The ticket counts once: of two who come with it one inserts its row, and only that one makes a session.
const REDEEM = statement<UserColumns>(
  'sessions.redeem',
  `WITH ticket AS (
     INSERT INTO used_tickets (jti, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING jti
   ), session AS (
     INSERT INTO sessions (id, user_id, ip, user_agent, created_at, last_seen_at, expires_at)
     SELECT $4, users.id, $5, $6, $7, $7, $8 FROM users, ticket WHERE users.id = $3
     RETURNING user_id
   )
   SELECT ${USER_COLUMNS} FROM users JOIN session ON session.user_id = users.id`,
)

const END = statement(
  'sessions.end',
  `UPDATE sessions SET ended_at = $3
   WHERE id = $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3 RETURNING id`,
)

const END_OTHERS = statement<{ readonly id: string }>(
  'sessions.endOthers',
  `UPDATE sessions SET ended_at = $3
   WHERE id <> $1 AND user_id = $2 AND ended_at IS NULL AND expires_at > $3 RETURNING id`,
)

const EXPIRE = statement<OwnedSession>(
  'sessions.expire',
  `UPDATE sessions SET ended_at = $1 WHERE id IN (
     SELECT id FROM sessions WHERE expires_at <= $1 AND ended_at IS NULL LIMIT $2 FOR UPDATE SKIP LOCKED)
   RETURNING id, user_id AS "userId"`,
)

const ENDED_SINCE = statement<EndedRow>(
  'sessions.endedSince',
  `SELECT id, user_id AS "userId", ended_at >= expires_at AS "isExpired" FROM sessions WHERE ended_at > $1 LIMIT $2`,
)

const OPEN_AMONG = statement<{ readonly id: string }>(
  'sessions.openAmong',
  'SELECT id FROM sessions WHERE id = ANY ($1::text[]) AND ended_at IS NULL AND expires_at > $2',
)

export interface OwnedSession {
  readonly id: string
  readonly userId: string
}

export interface EndedRow extends OwnedSession {
  readonly isExpired: boolean
}

export interface NewSession {
  readonly id: string
  readonly userId: string
  readonly ip: string
  readonly userAgent: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

/** Sessions and used tickets in the database. A session is open while it has neither ended nor expired. */
export const sessionRows = {
  /** Whatever there is of these ids, in one query. */
  async byIds(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, SessionRow>> {
    const rows = await sql.rows(BY_ID, [ids])
    return new Map(rows.map((row) => [row.id, toRow(row)]))
  },

  async touch(sql: Sql, ids: readonly string[], now: Date): Promise<void> {
    await sql.rows(TOUCH, [ids, now])
  },

  /** Null when the session is not open, or not this user's. */
  async extend(sql: Sql, { id, userId }: OwnedSession, now: Date, expiresAt: Date): Promise<SessionRow | null> {
    const row = await sql.first(EXTEND, [id, userId, now, expiresAt])
    return row && toRow(row)
  },

  /** Uses a ticket up and makes its session, or neither: null when it was used before, or its user is gone. */
  async redeem(
    sql: Sql,
    ticket: { readonly id: string; readonly expiresAt: Date },
    { id, userId, ip, userAgent, createdAt, expiresAt }: NewSession,
  ): Promise<CallerUser | null> {
    const values = [ticket.id, ticket.expiresAt, userId, id, ip, userAgent, createdAt, expiresAt]
    const row = await sql.first(REDEEM, values)
    return row && toUser(row)
  },

  /** False when the session is not open, or not this user's. */
  async end(sql: Sql, { id, userId }: OwnedSession, now: Date): Promise<boolean> {
    return (await sql.first(END, [id, userId, now])) !== null
  },

  /** Ends the open sessions of this user but this one, and gives their ids. */
  async endOthers(sql: Sql, { id, userId }: OwnedSession, now: Date): Promise<string[]> {
    return (await sql.rows(END_OTHERS, [id, userId, now])).map((row) => row.id)
  },

  /** Ends up to `limit` sessions whose time is over, and gives them. */
  expire(sql: Sql, now: Date, limit: number): Promise<OwnedSession[]> {
    return sql.rows(EXPIRE, [now, limit])
  },

  endedSince(sql: Sql, since: Date, limit: number): Promise<EndedRow[]> {
    return sql.rows(ENDED_SINCE, [since, limit])
  },

  async openAmong(sql: Sql, ids: readonly string[], now: Date): Promise<ReadonlySet<string>> {
    return new Set((await sql.rows(OPEN_AMONG, [ids, now])).map(({ id }) => id))
  },
}

function toRow({ id, createdAt, lastSeenAt, expiresAt, endedAt, ...user }: Columns): SessionRow {
  return { id, createdAt, lastSeenAt, expiresAt, endedAt, user: toUser(user) }
}

function toUser({ userId, username, displayName, userCreatedAt }: UserColumns): CallerUser {
  return { id: userId, username, displayName, createdAt: userCreatedAt.getTime() }
}
