import { type Sql, statement } from '../../db/sql.ts'

/** Their grace is long over. */
const DEPARTURES = statement(
  'users.forgetDepartures',
  `DELETE FROM departures WHERE user_id IN (
     SELECT user_id FROM departures WHERE at < now() - interval '1 minute' LIMIT 5000 FOR UPDATE SKIP LOCKED)`,
)

/** Anybody can register them again. */
const NAMES = statement('users.forgetNames', 'DELETE FROM reserved_names WHERE until < now()')

/** Deletes what has had its time. */
export async function forgetOld(sql: Sql): Promise<void> {
  await Promise.all([sql.rows(DEPARTURES), sql.rows(NAMES)])
}
