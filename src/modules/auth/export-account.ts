import { type Sql, statement } from '../../db/sql.ts'

/** Without secrets: of the recovery codes how many are left, of a passkey what its user sees. */
const EXPORT = statement<{ account: unknown }>(
  'accounts.export',
  `SELECT json_build_object(
     'id', id, 'username', username, 'displayName', display_name, 'createdAt', created_at, 'role', role,
     'roleChangedAt', role_changed_at, 'bannedAt', banned_at, 'bannedUntil', banned_until, 'banReason', ban_reason,
     'authenticatorResetAt', authenticator_reset_at,
     'recoveryCodesLeft', (SELECT count(*) FROM recovery_codes WHERE user_id = users.id AND used_at IS NULL),
     'passkeys', coalesce((
       SELECT json_agg(json_build_object('name', name, 'synced', backup_eligible, 'createdAt', created_at,
         'lastUsedAt', last_used_at) ORDER BY created_at) FROM passkeys WHERE user_id = users.id), '[]'),
     'sessions', coalesce((
       SELECT json_agg(json_build_object('ip', ip, 'userAgent', user_agent, 'createdAt', created_at,
         'lastSeenAt', last_seen_at, 'expiresAt', expires_at, 'endedAt', ended_at) ORDER BY created_at)
       FROM sessions WHERE user_id = users.id), '[]'),
     'tokens', coalesce((
       SELECT json_agg(json_build_object('name', name, 'scopes', scopes, 'createdAt', created_at,
         'lastUsedAt', last_used_at, 'expiresAt', expires_at, 'endedAt', ended_at) ORDER BY created_at)
       FROM tokens WHERE user_id = users.id), '[]')) AS account
   FROM users WHERE id = $1`,
)

/** What is kept of an account, for its user. */
export async function exportAccount(sql: Sql, userId: string): Promise<unknown> {
  return (await sql.first(EXPORT, [userId]))?.account ?? null
}
