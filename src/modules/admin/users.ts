import { msOf, type Sql, statement } from '../../db/sql.ts'
import { isBannedAt } from '../auth/index.ts'
import { beforeTime, type PageRequest, readPage } from '../pages.ts'
import type { AdminUser } from './types.ts'

const USER = `json_build_object('id', id, 'username', username, 'displayName', display_name,
  'createdAt', ${msOf('created_at')}, 'role', role, 'authenticatorResetAt', ${msOf('authenticator_reset_at')},
  'ban', CASE WHEN ${isBannedAt('now()')} THEN json_build_object('reason', ban_reason, 'since', ${msOf('banned_at')},
    'until', ${msOf('banned_until')}) END,
  'isOnline', EXISTS (SELECT FROM presence WHERE user_id = users.id)) AS "user"`

interface Found {
  readonly user: AdminUser
}

/**
 * Names have no character above `z`, so the tilde ends the range of a prefix. The operators compare bytes, as the index does.
 * Values: the time and id after which the page begins, its length, the prefix, and which users.
 */
const LIST = statement<Found>(
  'admin.users',
  `SELECT ${USER} FROM users
   WHERE (created_at, id) < ($1::timestamptz, $2) AND username ~>=~ $4 AND username ~<~ ($4 || '~')
     AND CASE $5 WHEN 'banned' THEN ${isBannedAt('now()')} WHEN 'admins' THEN role = 'admin' ELSE true END
   ORDER BY created_at DESC, id DESC LIMIT $3`,
)

const BY_ID = statement<Found>('admin.userById', `SELECT ${USER} FROM users WHERE id = $1`)
const BY_NAME = statement<Found>('admin.userByName', `SELECT ${USER} FROM users WHERE username = $1`)

export interface UserFilter {
  readonly prefix?: string | undefined
  readonly only?: 'banned' | 'admins' | undefined
}

/** The newest first. */
export function listUsers(sql: Sql, page: PageRequest, { prefix = '', only }: UserFilter) {
  return readPage(page, {
    read: (rows) => sql.rows(LIST, [...beforeTime(rows), rows.take, prefix, only ?? 'all']),
    key: ({ user }) => ({ rank: user.createdAt, id: user.id }),
    item: ({ user }) => user,
  })
}

export async function findUser(
  sql: Sql,
  by: { readonly userId: string } | { readonly username: string },
): Promise<AdminUser | null> {
  const row = 'userId' in by ? await sql.first(BY_ID, [by.userId]) : await sql.first(BY_NAME, [by.username])
  return row?.user ?? null
}
