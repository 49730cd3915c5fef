import type { Sql } from '../../../db/sql.ts'
import { BATCH, DELETE_ABORTED, DELETE_REPLAYS } from './statements.ts'

/** More than this waits for the next time, so that nobody else waits for long. */
const MAX_BATCHES = 50

/** Deletes what is past its time, in batches: aborted matches after a day, and replays after `replayDays`. */
export async function deleteOld(sql: Sql, replayDays: number): Promise<void> {
  for (let batch = 0; batch < MAX_BATCHES; batch++) {
    const matches = await sql.rows(DELETE_ABORTED)
    const replays = await sql.rows(DELETE_REPLAYS, [replayDays])
    if (matches.length < BATCH && replays.length < BATCH) return
  }
}
