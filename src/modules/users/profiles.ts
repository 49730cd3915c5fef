import { msOf, type Sql, statement } from '../../db/sql.ts'
import { type PageRequest, readPage } from '../pages.ts'
import { asUsername } from '../usernames.ts'
import type { Profile, UserSummary } from './types.ts'

/** What follows are pairs of the JSON of a user. */
export const SUMMARY = `'id', users.id, 'username', users.username, 'displayName', users.display_name,
  'avatarUrl', '/avatars/' || users.username`
const PROFILE = `json_build_object(${SUMMARY}, 'bio', coalesce(profiles.bio, ''),
  'createdAt', ${msOf('users.created_at')}) AS profile`
const FROM = 'FROM users LEFT JOIN profiles ON profiles.user_id = users.id'

const BY_NAME = statement<{ profile: Profile }>(
  'profiles.byName',
  `SELECT ${PROFILE} ${FROM} WHERE users.username = $1`,
)
const BY_ID = statement<{ profile: Profile }>('profiles.byId', `SELECT ${PROFILE} ${FROM} WHERE users.id = $1`)

/** Values: user, name, the username that it looks like. No row where it is the username of somebody else. */
const RENAME = statement<{ id: string }>(
  'profiles.rename',
  `UPDATE users SET display_name = $2
   WHERE id = $1 AND NOT EXISTS (SELECT FROM users AS other WHERE other.username = $3 AND other.id <> $1)
   RETURNING id`,
)

const SET_BIO = statement(
  'profiles.setBio',
  'INSERT INTO profiles (user_id, bio) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET bio = EXCLUDED.bio',
)

/**
 * Names have no character above `z`, so the tilde ends the range of a prefix, and no character of it is a wildcard. The
 * operators compare bytes, as the index does. Values: prefix, the name after which the page begins, its length.
 */
const SEARCH = statement<{ user: UserSummary }>(
  'profiles.search',
  `SELECT json_build_object(${SUMMARY}) AS "user" FROM users
   WHERE username ~>=~ $1 AND username ~<~ ($1 || '~') AND username ~>~ $2
   ORDER BY username USING ~<~ LIMIT $3`,
)

/** What users tell of themselves. Pictures: `avatars/`. */
export const profiles = {
  async byName(sql: Sql, username: string): Promise<Profile | null> {
    return (await sql.first(BY_NAME, [username]))?.profile ?? null
  },

  async byId(sql: Sql, userId: string): Promise<Profile | null> {
    return (await sql.first(BY_ID, [userId]))?.profile ?? null
  },

  /** False, and nothing is written, when it is the username of somebody else. */
  async rename(sql: Sql, userId: string, displayName: string): Promise<boolean> {
    return (await sql.first(RENAME, [userId, displayName, asUsername(displayName)])) !== null
  },

  async setBio(sql: Sql, userId: string, bio: string): Promise<void> {
    await sql.rows(SET_BIO, [userId, bio])
  },

  /** Users whose usernames begin so, in the order of their names. */
  search(sql: Sql, page: PageRequest, prefix: string) {
    return readPage(page, {
      read: ({ after, take }) => sql.rows(SEARCH, [prefix, after?.id ?? '', take]),
      // Names alone order this list.
      maxRank: 0,
      key: ({ user }) => ({ rank: 0, id: user.username }),
      item: ({ user }) => user,
    })
  },
}
