import { type Sql, statement } from '../../../db/sql.ts'
import type { PageRows } from '../../pages.ts'
import type { Rated } from '../types.ts'

/** Values: game, below which standing, below which user at it, how many. */
const TOP = statement<Rated & { standing: number }>(
  'ratings.top',
  `SELECT users.id AS "userId", username, display_name AS "displayName", round(rating)::int AS rating,
     round(deviation)::int AS deviation, played, won, standing
   FROM ratings JOIN users ON users.id = user_id
   WHERE game = $1 AND (standing, user_id) < ($2::int, $3::text)
   ORDER BY standing DESC, user_id DESC LIMIT $4`,
)

/** Of the column. */
export const MAX_STANDING = 2 ** 31 - 1

/** The best players of a game. A page continues after a standing. */
export function topRatings(sql: Sql, game: string, { after, take }: PageRows) {
  return sql.rows(TOP, [game, after?.rank ?? MAX_STANDING, after?.id ?? '', take])
}
