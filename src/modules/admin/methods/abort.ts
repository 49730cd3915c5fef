import { z } from 'zod'
import { method } from '../../define.ts'
import { matchService } from '../../matches/index.ts'
import { Match } from '../../matches/types.ts'
import { MatchId } from '../../wire.ts'
import { recordAct } from '../audit-log.ts'
import { Reason } from '../types.ts'

/** Wherever it runs. Its players see the `endReason` `stopped`. */
export const abort = method({
  summary: 'Ends a waiting or live match without a result.',
  access: 'admin',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({ matchId: MatchId, reason: Reason }),
  output: Match,
  errors: ['NOT_FOUND'],

  async handle({ ctx, input: { matchId, reason }, fail }) {
    await recordAct(ctx, { act: 'abort', matchId, details: { reason } })
    const match = await ctx.use(matchService).abort(ctx, matchId, 'stopped')
    if (!match) throw fail('NOT_FOUND', 'No match waits or is live under this id')
    return match
  },
})
