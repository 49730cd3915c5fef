import type { Platform } from '../../context.ts'
import { inTransaction } from '../../scope.ts'
import type { MatchService } from '../service.ts'
import { matchStore } from '../store.ts'
import type { Match } from '../types.ts'

/**
 * Takes a match whose countdown is over for this process, and has it run as soon as that is committed. Of several
 * processes that try, one does; for the others, and for a match that is not due, nothing happens.
 */
export async function launch(
  platform: Platform,
  service: MatchService,
  matchId: string,
  run: (match: Match, seed: number) => void,
): Promise<void> {
  const { node } = platform
  let attempts = 0
  await inTransaction(
    platform,
    async (scope) => {
      const isRepeated = attempts++ > 0
      const row = await matchStore.lock(scope, matchId)
      if (!row) return
      // Committed by an attempt whose connection broke before it heard of that.
      const isTaken = isRepeated && row.status === 'live' && row.nodeId === node
      const isDue = row.status === 'waiting' && row.startsAt !== null && row.startsAt.getTime() <= Date.now()
      if (!isTaken && !isDue) return
      const start = {
        status: 'live',
        startedAt: new Date(),
        nodeId: node,
        fence: { increment: 1 },
        startVersion: row.version + 1,
      } as const
      const match = isTaken ? service.announce(scope, row) : await service.change(scope, row, start)
      scope.afterCommit(() => run(match, row.seed))
    },
    { idempotent: true },
  )
}

/** Ends a match that is this process' to run, but that it cannot run. */
export async function giveUp(platform: Platform, service: MatchService, matchId: string): Promise<void> {
  await inTransaction(platform, async (scope) => {
    const row = await matchStore.lock(scope, matchId)
    if (row?.status === 'live' && row.nodeId === platform.node) await service.abort(scope, row, 'failed')
  })
}
