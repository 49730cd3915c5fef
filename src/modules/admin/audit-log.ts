import { randomUUID } from 'node:crypto'
import { type Sql, statement } from '../../db/sql.ts'
import { addressGroups, type CallerUser, RpcError } from '../../rpc/index.ts'
import { isBannedAt } from '../auth/index.ts'
import type { Context } from '../define.ts'
import { beforeTime, type PageRequest, readPage } from '../pages.ts'
import type { Act, AuditEntry } from './types.ts'

export type AdminContext = Context & { readonly user: CallerUser }

/** What is written of an act, beside who did it. */
interface Done {
  readonly act: Act
  readonly userId?: string
  readonly matchId?: string
  /** No secrets. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** Acts happen one after the other, so that each is checked against what the ones before it did. */
const LOCK = statement('admin.lock', `SELECT pg_advisory_xact_lock(hashtextextended('admin acts', 0))`)

/** No row unless the caller still is an admin. Values: id, admin, act, user, match, details, address. */
const RECORD = statement<{ id: string }>(
  'admin.record',
  `INSERT INTO audit_log (id, at, admin_id, act, user_id, match_id, details, address)
   SELECT $1, clock_timestamp(), id, $3, $4, $5, $6::jsonb, $7
   FROM users WHERE id = $2 AND role = 'admin' AND NOT ${isBannedAt('now()')}
   RETURNING id`,
)

/**
 * Writes an act into the audit log, in the transaction of the act and before it. An admin who lost the role or was banned
 * since the socket opened is refused. As nobody takes the role from themselves or bans themselves, one admin always remains.
 *
 * @throws RpcError FORBIDDEN
 */
export async function recordAct({ sql, user, call }: AdminContext, done: Done): Promise<void> {
  const { act, userId = null, matchId = null, details = {} } = done
  const [address] = addressGroups(call.caller.ip)
  const values = [randomUUID(), user.id, act, userId, matchId, JSON.stringify(details), address]
  const [, recorded] = await Promise.all([sql.rows(LOCK), sql.first(RECORD, values)])
  if (!recorded) throw new RpcError('FORBIDDEN', 'You are no admin any more')
}

interface Row {
  readonly id: string
  readonly at: Date
  readonly act: Act
  readonly admin: AuditEntry['admin']
  readonly user: AuditEntry['user']
  readonly matchId: AuditEntry['matchId']
  readonly details: AuditEntry['details']
  readonly address: string | null
}

const named = (user: string) =>
  `CASE WHEN ${user}.id IS NOT NULL THEN json_build_object('id', ${user}.id, 'username', ${user}.username) END`

/** Values: the time and id after which the page begins, its length, and a user or null. */
const LIST = statement<Row>(
  'admin.audit',
  `SELECT entry.id, at, act, ${named('admin')} AS admin, ${named('subject')} AS "user", match_id AS "matchId", details, address
   FROM audit_log AS entry
   LEFT JOIN users AS admin ON admin.id = admin_id LEFT JOIN users AS subject ON subject.id = entry.user_id
   WHERE (at, entry.id) < ($1::timestamptz, $2) AND ($4::text IS NULL OR entry.user_id = $4)
   ORDER BY at DESC, entry.id DESC LIMIT $3`,
)

/** The newest acts first; with `userId` those that were done to this user. */
export function readAuditLog(sql: Sql, page: PageRequest, userId: string | undefined) {
  return readPage(page, {
    read: (rows) => sql.rows(LIST, [...beforeTime(rows), rows.take, userId ?? null]),
    key: ({ at, id }) => ({ rank: at.getTime(), id }),
    item: (row): AuditEntry => ({ ...row, at: row.at.getTime() }),
  })
}
