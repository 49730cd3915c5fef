import type { Prisma } from '../../db/generated/client.ts'
import { isUnavailable } from '../../db/retry.ts'
import type { MatchRunner } from '../../engine/index.ts'
import type { Outcome } from '../../games/game.ts'
import type { Platform } from '../context.ts'
import { inTransaction } from '../scope.ts'
import type { MatchService } from './service.ts'
import { matchStore } from './store.ts'
import type { Match } from './types.ts'

export type Ending =
  | { readonly status: 'finished'; readonly outcome: Outcome; readonly endReason: string | null }
  | { readonly status: 'aborted'; readonly endReason: string }

/** How long the result of a match is offered to a database that does not answer. */
const KEEP_TRYING_MS = 10 * 60_000
const RETRY_MS = 500

/**
 * Commits how a live match ended; null when it is not this process' to end any more, because its lease was lost.
 * A database that is away is waited for: the match stays as it is until its result is safe, or the process stops.
 */
export async function commitEnding(
  platform: Platform,
  service: MatchService,
  runner: MatchRunner,
  ending: Ending,
  stopping: AbortSignal,
): Promise<Match | null> {
  const giveUpAt = Date.now() + KEEP_TRYING_MS
  for (;;) {
    try {
      return await commit(platform, service, runner, ending)
    } catch (error) {
      if (!isUnavailable(error) || Date.now() > giveUpAt || stopping.aborted) throw error
      platform.log.matches.warn({ err: error, matchId: runner.matchId }, 'a result waits for the database')
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

function commit(platform: Platform, service: MatchService, runner: MatchRunner, ending: Ending): Promise<Match | null> {
  return inTransaction(platform, async (scope) => {
    const row = await matchStore.lock(scope, runner.matchId)
    if (row?.status !== 'live' || row.nodeId !== platform.node) return null
    if (ending.status === 'aborted') return service.abort(scope, row, ending.endReason)
    const { winnerSeat, scores } = ending.outcome
    for (const [seat, score] of scores.entries()) {
      await scope.db.seat.updateMany({ where: { matchId: row.id, seat }, data: { score } })
    }
    const saved = await matchStore.save(scope, row, {
      status: 'finished',
      winnerSeat,
      endReason: ending.endReason,
      finishedAt: new Date(),
      ticks: runner.tick,
      finalState: toJson(runner.state),
      inputs: runner.log.map(({ tick, seat, input }) => [tick, seat, toJson(input)]),
    })
    return service.announce(scope, saved)
  })
}

/** States and inputs of games are JSON by contract. */
function toJson(value: unknown): Prisma.InputJsonValue {
  return value as Prisma.InputJsonValue
}
