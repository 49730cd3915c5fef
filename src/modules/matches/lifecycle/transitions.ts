import type { Platform } from '../../platform.ts'
import type { Scope } from '../../scope.ts'
import { inTransaction } from '../../scope.ts'
import { readMatches } from '../match-reads.ts'
import type { MatchRow } from '../match-row.ts'
import type { MatchService } from '../service.ts'
import type { Match } from '../types.ts'
import type { MatchResult } from './spool.ts'
import { ABORT_OWN, type Abandonment, FINISH, TAKE } from './statements.ts'

// Each step in the life of a match that a process takes by itself: one transaction, and its announcement. A commit may
// happen without being heard of, so each is the same when it is done twice, and announces what the row then says.

/**
 * Takes a match whose countdown is over for this process, and has it run once that is committed. Of several processes
 * that try, one does; for the others, and for a match that is not due, nothing happens.
 *
 * @param rulesVersion undefined for a game that is not known here
 */
export async function take(
  platform: Platform,
  service: MatchService,
  matchId: string,
  rulesVersion: number | undefined,
  run: (match: Match, row: MatchRow) => void,
): Promise<void> {
  let isRepeated = false
  await inTransaction(
    platform,
    async (scope) => {
      const mayBeTaken = isRepeated
      isRepeated = true
      const taken = await scope.sql.first(TAKE, [matchId, platform.node, new Date(), rulesVersion ?? null])
      if (taken || mayBeTaken) await takeUp(platform, service, scope, matchId, run)
    },
    { idempotent: true },
  )
}

/** Has a match run that is this process' to run. */
export async function takeUp(
  platform: Platform,
  service: MatchService,
  scope: Scope,
  matchId: string,
  run: (match: Match, row: MatchRow) => void,
): Promise<void> {
  const [row] = await readMatches(scope.sql, [matchId])
  if (row?.status !== 'live' || row.nodeId !== platform.node) return
  const match = service.announce(scope, row)
  scope.afterCommit(() => run(match, row))
}

/** Stores a result, unless the match has gone on without its process, and announces what is stored. */
export async function finish(platform: Platform, service: MatchService, result: MatchResult): Promise<void> {
  const { matchId, node, fence, winnerSeat, scores, endReason, finishedAt, ticks, finalState, inputs } = result
  const values = [matchId, node, fence, winnerSeat, scores, endReason, new Date(finishedAt), ticks]
  await inTransaction(
    platform,
    async (scope) => {
      await scope.sql.rows(FINISH, [...values, JSON.stringify(finalState), JSON.stringify(inputs)])
      await announceAll(service, scope, [matchId])
    },
    { idempotent: true },
  )
}

/** Ends live matches that this process runs without a result, and announces how they ended. */
export async function abortOwn(
  platform: Platform,
  service: MatchService,
  matches: readonly { readonly id: string; readonly fence: number }[],
  endReason: string,
): Promise<void> {
  const ids = matches.map(({ id }) => id)
  const fences = matches.map(({ fence }) => fence)
  await inTransaction(
    platform,
    async (scope) => {
      await scope.sql.rows(ABORT_OWN, [platform.node, ids, fences, endReason])
      await announceAll(service, scope, ids)
      await service.withdrawRematches(scope, ids)
    },
    { idempotent: true },
  )
}

/** Ends all matches that nobody will play on, whoever they belong to. */
export async function abortAbandoned(
  platform: Platform,
  service: MatchService,
  { find, abort, endReason }: Abandonment,
  values: readonly unknown[] = [],
): Promise<void> {
  for (;;) {
    const ids = (await platform.database.sql.rows(find, values)).map(({ id }) => id)
    if (ids.length === 0) return
    const isDone = await inTransaction(
      platform,
      async (scope) => {
        const aborted = await scope.sql.rows(abort, [...values, ids, endReason])
        await announceAll(service, scope, ids)
        await service.withdrawRematches(scope, ids)
        return aborted.length === 0
      },
      { idempotent: true },
    )
    // Others are at them.
    if (isDone) return
  }
}

/** Announces those of the matches that are over. */
async function announceAll(service: MatchService, scope: Scope, ids: readonly string[]): Promise<void> {
  for (const row of await readMatches(scope.sql, ids)) {
    if (row.status !== 'waiting' && row.status !== 'live') service.announce(scope, row)
  }
}
