import { createHash } from 'node:crypto'
import { batched } from '../../../db/batched-lookup.ts'
import { type Sql, statement } from '../../../db/sql.ts'
import type { Picture, PictureType } from './picture.ts'

interface Row {
  readonly username: string
  readonly type: PictureType
  readonly hash: string
}

/** Values: user, bytes, type, hash; all but the first null for no picture. */
const SET = statement(
  'avatars.set',
  `INSERT INTO profiles (user_id, avatar, avatar_type, avatar_hash) VALUES ($1, $2, $3, $4)
   ON CONFLICT (user_id) DO UPDATE SET avatar = EXCLUDED.avatar, avatar_type = EXCLUDED.avatar_type,
     avatar_hash = EXCLUDED.avatar_hash`,
)

const BY_NAMES = statement<Row & { readonly bytes: Buffer }>(
  'avatars.byNames',
  `SELECT username, avatar AS bytes, avatar_type AS type, avatar_hash AS hash
   FROM users JOIN profiles ON profiles.user_id = users.id WHERE username = ANY ($1) AND avatar IS NOT NULL`,
)

/** Null takes the picture away: the drawn one is shown again. */
export async function setAvatar(sql: Sql, userId: string, picture: Picture | null): Promise<void> {
  const hash = picture && createHash('sha256').update(picture.bytes).digest('hex').slice(0, 32)
  await sql.rows(SET, [userId, picture?.bytes ?? null, picture?.type ?? null, hash])
}

export type StoredAvatar = Picture & Pick<Row, 'hash'>

/** Makes the look-up of an uploaded picture by username: those of one moment share a query. */
export function avatarReader(sql: Sql): (username: string) => Promise<StoredAvatar | undefined> {
  return batched<string, StoredAvatar>(
    async (names) => {
      const rows = await sql.rows(BY_NAMES, [names])
      return new Map(rows.map(({ username, ...avatar }) => [username, avatar]))
    },
    // Some megabytes at once at most.
    { maxKeys: 16, maxWaiting: 1_000 },
  )
}
