import { type Sql, statement } from '../../db/sql.ts'
import type { Profile } from './types.ts'

const PROFILE = `json_build_object('id', users.id, 'username', users.username, 'displayName', users.display_name,
  'bio', coalesce(profiles.bio, ''), 'avatarUrl', '/avatars/' || users.username,
  'createdAt', (extract(epoch FROM users.created_at) * 1000)::int8) AS profile`

const BY_NAME = statement<{ profile: Profile }>(
  'profiles.byName',
  `SELECT ${PROFILE} FROM users LEFT JOIN profiles ON profiles.user_id = users.id WHERE users.username = $1`,
)

export const profiles = {
  async byName(sql: Sql, username: string): Promise<Profile | null> {
    return (await sql.first(BY_NAME, [username]))?.profile ?? null
  },
}
