import { type Sql, statement } from '../../db/sql.ts'

const EXPORT = statement<{ profile: unknown }>(
  'profiles.export',
  `SELECT json_build_object('bio', coalesce(bio, ''), 'avatarType', avatar_type, 'avatar', encode(avatar, 'base64'),
     'statistics', coalesce((
       SELECT json_agg(json_build_object('game', game, 'played', played, 'won', won) ORDER BY game)
       FROM player_statistics WHERE user_id = $1), '[]')) AS profile
   FROM (SELECT $1::text AS id) AS asked LEFT JOIN profiles ON profiles.user_id = asked.id`,
)

/** The uploaded picture is in base64, as it is served: without its metadata. */
export async function exportProfile(sql: Sql, userId: string): Promise<unknown> {
  return (await sql.first(EXPORT, [userId]))?.profile ?? null
}
