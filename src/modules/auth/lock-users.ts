import { type Sql, statement } from '../../db/sql.ts'
import { RpcError } from '../../rpc/index.ts'
import { isBannedAt } from './bans.ts'

/** Values: users. A ban that is being written is waited for. */
const LOCK_USERS = statement<{ id: string }>(
  'users.lock',
  `SELECT id FROM users WHERE id = ANY($1) AND NOT ${isBannedAt('now()')} ORDER BY id FOR NO KEY UPDATE`,
)

/**
 * Locks the users' rows until the transaction ends, the lowest id first: no other transaction counts their matches or rooms, or
 * bans them. Answers with those who are not banned and not gone.
 */
export async function lockUsers(sql: Sql, userIds: readonly string[]): Promise<Set<string>> {
  return new Set((await sql.rows(LOCK_USERS, [userIds])).map(({ id }) => id))
}

/** As `lockUsers`, for one. @throws RpcError UNAUTHENTICATED for a user who is banned or gone */
export async function lockUser(sql: Sql, userId: string): Promise<void> {
  const present = await lockUsers(sql, [userId])
  if (!present.has(userId)) throw new RpcError('UNAUTHENTICATED', 'This user is banned, or is gone')
}
