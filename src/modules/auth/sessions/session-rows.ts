import { type Sql, statement } from '../../../db/sql.ts'
import type { CallerUser } from '../../../rpc/index.ts'
import type { PageRows } from '../../pages.ts'

/** A session, whether it has ended or not, and its user. */
export interface SessionRow {
  readonly id: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly endedAt: Date | null
  readonly user: CallerUser
}

/** A session as its user sees it in a list. */
export interface ListedSession extends Pick<SessionRow, 'id' | 'createdAt' | 'lastSeenAt' | 'expiresAt'> {
  readonly userAgent: string
  readonly ip: string
}

export interface OwnedSession {
  readonly id: string
  readonly userId: string
}

export interface EndedSession extends OwnedSession {
  readonly isExpired: boolean
}

export interface NewSession extends OwnedSession {
  readonly ip: string
  readonly userAgent: string
  readonly createdAt: Date
  readonly expiresAt: Date
}

const TIMES = `sessions.created_at AS "createdAt", sessions.last_seen_at AS "lastSeenAt",
  sessions.expires_at AS "expiresAt"`
/** As a `CallerUser`. */
const USER = `json_build_object('id', users.id, 'username', users.username, 'displayName', users.display_name,
  'createdAt', (extract(epoch FROM users.created_at) * 1000)::bigint) AS "user"`
const COLUMNS = `sessions.id, ${TIMES}, sessions.ended_at AS "endedAt", ${USER}`

const BY_ID = statement<SessionRow>(
  'sessions.byId',
  `SELECT ${COLUMNS} FROM sessions JOIN users ON users.id = sessions.user_id WHERE sessions.id = ANY ($1::text[])`,
)

const LIST = statement<ListedSession>(
  'sessions.list',
  `SELECT id, user_agent AS "userAgent", ip, ${TIMES} FROM sessions
   WHERE user_id = $1 AND ended_at IS NULL AND expires_at > $2
     AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4))
   ORDER BY created_at DESC, id DESC LIMIT $5`,
)

// Two nodes may see the same sessions at once: neither waits for the other.
const TOUCH = statement(
  'sessions.touch',
  `UPDATE sessions SET last_seen_at = $2 WHERE id IN (
     SELECT id FROM sessions WHERE id = ANY ($1::text[]) FOR UPDATE SKIP LOCKED)`,
)

const EXTEND = statement<SessionRow>(
  'sessions.extend',
  `UPDATE sessions SET expires_at = $4, last_seen_at = $3
   FROM users WHERE users.id = sessions.user_id
     AND sessions.id = $1 AND sessions.user_id = $2 AND sessions.ended_at IS NULL AND sessions.expires_at > $3
   RETURNING ${COLUMNS}`,
)

// A ticket counts once: of two requests with the same ticket one inserts its row, and only that one makes a session.
const REDEEM = statement<Pick<SessionRow, 'user'>>(
  'sessions.redeem',
  `WITH ticket AS (
     INSERT INTO used_tickets (jti, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING jti
   ), session AS (
     INSERT INTO sessions (id, user_id, ip, user_agent, created_at, last_seen_at, expires_at)
     SELECT $4, users.id, $5, $6, $7, $7, $8 FROM users, ticket WHERE users.id = $3
     RETURNING user_id
   )
   SELECT ${USER} FROM users JOIN session ON session.user_id = users.id`,
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

const ENDED_SINCE = statement<EndedSession>(
  'sessions.endedSince',
  `SELECT id, user_id AS "userId", ended_at >= expires_at AS "isExpired" FROM sessions WHERE ended_at > $1 LIMIT $2`,
)

const NOT_ENDED_AMONG = statement<{ readonly id: string }>(
  'sessions.notEndedAmong',
  'SELECT id FROM sessions WHERE id = ANY ($1::text[]) AND ended_at IS NULL',
)

/** Sessions and used tickets in the database. A session is open while it has neither ended nor expired. */
export const sessionRows = {
  /** The rows of these ids that exist. */
  async byIds(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, SessionRow>> {
    const rows = await sql.rows(BY_ID, [ids])
    return new Map(rows.map((row) => [row.id, row]))
  },

  /** The open sessions of a user, newest first. */
  list(sql: Sql, userId: string, now: Date, { after, take }: PageRows): Promise<ListedSession[]> {
    return sql.rows(LIST, [userId, now, after?.at ?? null, after?.id ?? null, take])
  },

  async touch(sql: Sql, ids: readonly string[], now: Date): Promise<void> {
    await sql.rows(TOUCH, [ids, now])
  },

  /** Null when the session is not open, or not this user's. */
  extend(sql: Sql, { id, userId }: OwnedSession, now: Date, expiresAt: Date): Promise<SessionRow | null> {
    return sql.first(EXTEND, [id, userId, now, expiresAt])
  },

  /** Uses a ticket and makes its session, or neither: null when the ticket was used before, or its user is gone. */
  async redeem(
    sql: Sql,
    ticket: { readonly id: string; readonly expiresAt: Date },
    { id, userId, ip, userAgent, createdAt, expiresAt }: NewSession,
  ): Promise<CallerUser | null> {
    const values = [ticket.id, ticket.expiresAt, userId, id, ip, userAgent, createdAt, expiresAt]
    return (await sql.first(REDEEM, values))?.user ?? null
  },

  /** False when the session is not open, or not this user's. */
  async end(sql: Sql, { id, userId }: OwnedSession, now: Date): Promise<boolean> {
    return (await sql.first(END, [id, userId, now])) !== null
  },

  /** Ends the open sessions of this user except this one, and gives their ids. */
  async endOthers(sql: Sql, { id, userId }: OwnedSession, now: Date): Promise<string[]> {
    return (await sql.rows(END_OTHERS, [id, userId, now])).map((row) => row.id)
  },

  /** Ends up to `limit` sessions that have expired, and gives them. */
  expire(sql: Sql, now: Date, limit: number): Promise<OwnedSession[]> {
    return sql.rows(EXPIRE, [now, limit])
  },

  endedSince(sql: Sql, since: Date, limit: number): Promise<EndedSession[]> {
    return sql.rows(ENDED_SINCE, [since, limit])
  },

  async notEndedAmong(sql: Sql, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set((await sql.rows(NOT_ENDED_AMONG, [ids])).map(({ id }) => id))
  },
}
