import { msOf, type Sql, statement } from '../../db/sql.ts'
import { RpcError } from '../../rpc/index.ts'
import type { BossDefeat } from './types.ts'

/** Bosses that one user may have defeated. */
const MAX_BOSSES = 200

const COLUMNS = `boss, times, ${msOf('first_defeated_at')} AS "firstDefeatedAt",
  ${msOf('last_defeated_at')} AS "lastDefeatedAt"`

const COUNT_OTHERS = statement<{ bosses: number }>(
  'scores.countOtherBosses',
  'SELECT count(*) AS bosses FROM boss_defeats WHERE user_id = $1 AND boss <> $2',
)

const DEFEAT = statement<BossDefeat>(
  'scores.defeatBoss',
  `INSERT INTO boss_defeats AS known (user_id, boss) VALUES ($1, $2)
   ON CONFLICT (user_id, boss) DO UPDATE SET times = least(known.times, 2147483646) + 1, last_defeated_at = now()
   RETURNING ${COLUMNS}`,
)

const GALLERY = statement<BossDefeat>(
  'scores.bosses',
  `SELECT ${COLUMNS} FROM boss_defeats WHERE user_id = $1 ORDER BY first_defeated_at, boss`,
)

/** Counts one more defeat of a boss. @throws RpcError TOO_MANY_BOSSES */
export async function defeatBoss(sql: Sql, userId: string, boss: string) {
  const others = await sql.first(COUNT_OTHERS, [userId, boss])
  if (others && others.bosses >= MAX_BOSSES)
    throw new RpcError('TOO_MANY_BOSSES', `A player has at most ${MAX_BOSSES} bosses`)
  const defeat = await sql.first(DEFEAT, [userId, boss])
  if (!defeat) throw new Error('the defeat was not stored')
  return defeat
}

/** The bosses that a user has defeated, in the order of the first defeats. */
export function readBosses(sql: Sql, userId: string): Promise<BossDefeat[]> {
  return sql.rows(GALLERY, [userId])
}
