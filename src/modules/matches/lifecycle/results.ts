import { setTimeout as delay } from 'node:timers/promises'
import type { Prisma } from '../../../db/generated/client.ts'
import { isUnavailable } from '../../../db/retry.ts'
import { type MatchRunner, packInputs } from '../../../engine/index.ts'
import type { Outcome } from '../../../games/game.ts'
import type { Platform } from '../../context.ts'
import { inTransaction } from '../../scope.ts'
import type { MatchService } from '../service.ts'
import { matchStore } from '../store.ts'

export type Ending =
  | { readonly status: 'finished'; readonly outcome: Outcome; readonly endReason: string | null }
  | { readonly status: 'aborted'; readonly endReason: string }

/** How long the result of a match is offered to a database that does not answer. */
const KEEP_TRYING_MS = 60 * 60_000
const RETRY_MS = 500

/**
 * Commits how a live match ended and announces it; a match that has ended already is announced as it was stored. A
 * database that is away is waited for: the match stays as it is until its result is safe, or the process stops.
 */
export async function commitEnding(
  platform: Platform,
  service: MatchService,
  runner: MatchRunner,
  ending: Ending,
  stopping: AbortSignal,
): Promise<void> {
  const giveUpAt = Date.now() + KEEP_TRYING_MS
  for (;;) {
    try {
      await commit(platform, service, runner, ending)
      return
    } catch (error) {
      if (!isUnavailable(error) || Date.now() > giveUpAt || stopping.aborted) throw error
      platform.log.matches.warn({ err: error, matchId: runner.matchId }, 'a result waits for the database')
      await delay(RETRY_MS, undefined, { signal: stopping }).catch(() => undefined)
    }
  }
}

async function commit(platform: Platform, service: MatchService, runner: MatchRunner, ending: Ending): Promise<void> {
  const { matchId } = runner
  await inTransaction(platform, async (scope) => {
    const row = await matchStore.lock(scope, matchId)
    if (!row) return
    if (row.status !== 'live' || row.nodeId !== platform.node) {
      // By an attempt whose connection broke before its commit was heard of, or by others when this node seemed dead.
      service.announce(scope, row)
      return
    }
    if (ending.status === 'aborted') {
      await service.abort(scope, row, ending.endReason)
      return
    }
    const { winnerSeat, scores } = ending.outcome
    await matchStore.setScores(scope, [{ matchId, scores }])
    await service.change(scope, row, {
      status: 'finished',
      winnerSeat,
      endReason: ending.endReason,
      finishedAt: new Date(),
      ticks: runner.tick,
      finalState: toJson(runner.state),
      inputs: toJson(packInputs(runner.log)),
    })
  })
}

/** States and inputs of games are JSON by contract. */
function toJson(value: unknown): Prisma.InputJsonValue {
  return value as Prisma.InputJsonValue
}
