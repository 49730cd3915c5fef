import { z } from 'zod'
import { subscription } from '../../define.ts'
import { MatchId } from '../../wire.ts'
import { matchService } from '../service.ts'
import { Match } from '../types.ts'

export const onUpdate = subscription({
  summary: 'Follows one match as its players, scores and status change.',
  access: 'anyone',
  delivery: 'reliable',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({ matchId: MatchId }),
  event: Match,
  errors: ['NOT_FOUND'],

  async open({ ctx, input, fail }) {
    const opened = await ctx.use(matchService).follow(input.matchId, ctx.user?.id ?? null)
    if (!opened) throw fail('NOT_FOUND', 'There is no such match')
    return opened
  },
})
