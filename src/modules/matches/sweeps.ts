import type { Platform, Scope } from '../context.ts'
import { inTransaction } from '../scope.ts'
import type { MatchService } from './service.ts'
import { isOpen, matchStore } from './store.ts'

const BATCH = 100
/** A match that waits for longer than this is given up. */
const MAX_WAIT_MINUTES = 15
/** So is one whose players have all been gone for this long. */
const MAX_EMPTY_SECONDS = 60
/** A countdown that ended this long ago and started nothing: the process that watched it is gone. */
const LATE_SECONDS = 2

/** Ends live matches whose process is dead. */
export async function endOrphaned(platform: Platform, service: MatchService): Promise<void> {
  const orphaned = await platform.database.db.$queryRaw<{ id: string }[]>`
    SELECT id FROM matches
    WHERE status = 'live' AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.id = matches.node_id)
    LIMIT ${BATCH}`
  await abortAll(platform, service, orphaned, 'node-lost', 'live')
  await noteLostPlayers(platform, service)
}

/** Players whose socket was on a dead process are not connected any more. */
async function noteLostPlayers(platform: Platform, service: MatchService): Promise<void> {
  const lost = await platform.database.db.$queryRaw<{ id: string }[]>`
    SELECT DISTINCT match_id AS id FROM seats
    WHERE connected AND user_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.id = seats.node_id)
      AND EXISTS (SELECT 1 FROM matches WHERE matches.id = match_id AND status IN ('waiting', 'live'))
    LIMIT ${BATCH}`
  for (const { id } of lost) {
    await inTransaction(platform, async (scope: Scope) => {
      const row = await matchStore.lock(scope, id)
      if (!row) return
      await scope.db.$executeRaw`
        UPDATE seats SET connected = false, node_id = NULL
        WHERE match_id = ${id} AND user_id IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.id = seats.node_id)`
      service.announce(scope, await matchStore.save(scope, row))
    })
  }
}

/**
 * Ends matches that nobody will ever play.
 *
 * @returns ids of matches whose start is overdue, for the caller to start.
 */
export async function endAbandoned(platform: Platform, service: MatchService): Promise<string[]> {
  const { db } = platform.database
  const abandoned = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM matches
    WHERE status = 'waiting' AND (
      created_at < now() - make_interval(mins => ${MAX_WAIT_MINUTES})
      OR (updated_at < now() - make_interval(secs => ${MAX_EMPTY_SECONDS})
          AND NOT EXISTS (SELECT 1 FROM seats WHERE match_id = matches.id AND connected AND user_id IS NOT NULL)))
    LIMIT ${BATCH}`
  await abortAll(platform, service, abandoned, 'nobody-came', 'waiting')
  const overdue = await db.$queryRaw<{ id: string }[]>`
    SELECT id FROM matches
    WHERE status = 'waiting' AND starts_at < now() - make_interval(secs => ${LATE_SECONDS})
    LIMIT ${BATCH}`
  return overdue.map(({ id }) => id)
}

async function abortAll(
  platform: Platform,
  service: MatchService,
  found: readonly { id: string }[],
  endReason: string,
  status: 'live' | 'waiting',
): Promise<void> {
  for (const { id } of found) {
    await inTransaction(platform, async (scope: Scope) => {
      const row = await matchStore.lock(scope, id)
      if (row && isOpen(row.status) && row.status === status) await service.abort(scope, row, endReason)
    })
  }
}
