import { type Sql, statement } from '../../db/sql.ts'

/** Values: days. */
const DELETE_OLD = statement(
  'tournaments.deleteOld',
  `DELETE FROM tournaments WHERE id IN (
     SELECT id FROM tournaments
     WHERE finished_at < now() - CASE WHEN status = 'cancelled' THEN interval '1 day' ELSE make_interval(days => $1) END
     ORDER BY finished_at LIMIT 50 FOR UPDATE SKIP LOCKED)`,
)

/** Deletes cancelled tournaments after a day, and finished ones after `days`: a bounded number, and the next run goes on. */
export async function deleteOld(sql: Sql, days: number): Promise<void> {
  await sql.rows(DELETE_OLD, [days])
}
