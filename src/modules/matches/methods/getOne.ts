import { z } from 'zod'
import { method } from '../../define.ts'
import { MatchId } from '../../wire.ts'
import { matchService } from '../service.ts'
import { JoinCode, Match } from '../types.ts'

/** Anybody who knows the code of a private match may look at it. */
export const getOne = method({
  summary: 'Gives one match by its id, or the newest with a code.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 600, perSeconds: 60 },
  input: z.union([z.object({ matchId: MatchId }), z.object({ code: JoinCode })]),
  output: Match,
  errors: ['NOT_FOUND'],

  async handle({ ctx, input, fail }) {
    const match = await ctx.use(matchService).find(input, ctx.user?.id ?? null)
    if (!match) throw fail('NOT_FOUND', 'There is no such match')
    return match
  },
})
