import { sql } from '../../../db/sql.ts'
import type { Platform, Scope } from '../../context.ts'
import { inTransaction } from '../../scope.ts'
import type { MatchRow } from '../match-row.ts'
import type { MatchService } from '../service.ts'
import { matchStore } from '../store.ts'

/** A countdown that ended this long ago and started nothing: the process that watched it is gone. */
const LATE_SECONDS = 2
/** A process that was heard of within this time is there. Beats come every second. */
const FRESH_SECONDS = 3
const MAX_LAUNCHES = 100

/** Settles what other processes left: ends live matches of the dead, and notes that their sockets are gone. */
export async function endOrphaned(platform: Platform, service: MatchService): Promise<void> {
  const orphaned = sql`
    status = 'live' AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.id = matches.node_id)`
  await repeat(platform, service, (scope) => matchStore.abortWhere(scope, orphaned, 'node-lost'))
  const lost = sql`NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.id = seats.node_id)`
  await repeat(platform, service, (scope) => matchStore.disconnectWhere(scope, lost))
}

/** Settles what this process leaves: breaks its live matches off, and notes that its sockets are gone. */
export async function endOwn(platform: Platform, service: MatchService): Promise<void> {
  const { node } = platform
  const own = sql`status = 'live' AND node_id = ${node}`
  await repeat(platform, service, (scope) => matchStore.abortWhere(scope, own, 'node-left'))
  await repeat(platform, service, (scope) => matchStore.disconnectWhere(scope, sql`seats.node_id = ${node}`))
}

/**
 * Ends matches that nobody will ever play. `upMs` is for how long this process has been there for players to come back
 * to: a match may be empty because Rally was away.
 */
export async function endAbandoned(platform: Platform, service: MatchService, upMs: number): Promise<void> {
  const { maxWaitMs, emptyMs } = platform.config.matches
  const tooLong = sql`
    status = 'waiting' AND starts_at IS NULL AND created_at < now() - make_interval(secs => ${maxWaitMs / 1000})`
  await repeat(platform, service, (scope) => matchStore.abortWhere(scope, tooLong, 'nobody-came'))
  if (upMs < emptyMs) return
  const empty = sql`
    status = 'waiting' AND updated_at < now() - make_interval(secs => ${emptyMs / 1000})
    AND NOT EXISTS (SELECT 1 FROM seats WHERE match_id = matches.id AND connected AND user_id IS NOT NULL)`
  await repeat(platform, service, (scope) => matchStore.abortWhere(scope, empty, 'nobody-came'))
}

/** Matches that should have begun, but did not, while all of their players are there. */
export async function findOverdue(platform: Platform): Promise<string[]> {
  const rows = await platform.database.db.$queryRaw<{ id: string }[]>`
    SELECT id FROM matches
    WHERE status = 'waiting' AND starts_at < now() - make_interval(secs => ${LATE_SECONDS}) AND NOT EXISTS (
      SELECT 1 FROM seats LEFT JOIN nodes ON nodes.id = seats.node_id
      WHERE seats.match_id = matches.id AND seats.user_id IS NOT NULL
        AND (nodes.id IS NULL OR nodes.heartbeat_at < now() - make_interval(secs => ${FRESH_SECONDS})))
    LIMIT ${MAX_LAUNCHES}`
  return rows.map(({ id }) => id)
}

export interface OwnLive {
  readonly id: string
  /** It has been live for so long that it must have been taken up here. */
  readonly settled: boolean
  /** Seats whose players are not connected, to any process. */
  readonly away: readonly number[]
}

/** The live matches that the database says this process runs. */
export async function findOwnLive(platform: Platform): Promise<OwnLive[]> {
  return platform.database.db.$queryRaw<OwnLive[]>`
    SELECT matches.id, matches.started_at < now() - make_interval(secs => 5) AS settled,
      coalesce(array_agg(seats.seat) FILTER (WHERE seats.user_id IS NOT NULL AND NOT seats.connected), '{}') AS away
    FROM matches JOIN seats ON seats.match_id = matches.id
    WHERE matches.status = 'live' AND matches.node_id = ${platform.node}
    GROUP BY matches.id`
}

/** One transaction a batch until nothing is left, and an event for each match. */
async function repeat(
  platform: Platform,
  service: MatchService,
  change: (scope: Scope) => Promise<MatchRow[]>,
): Promise<void> {
  for (;;) {
    const changed = await inTransaction(platform, async (scope) => {
      const rows = await change(scope)
      for (const row of rows) service.announce(scope, row)
      return rows.length
    })
    if (changed === 0) return
  }
}
