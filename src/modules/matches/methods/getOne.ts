import { z } from 'zod'
import { method } from '../../context.ts'
import { MatchId } from '../../wire.ts'
import { Match } from '../types.ts'

/** One match by its id. Whoever knows the id of a private match may look at it. */
export const getOne = method({
  access: 'anyone',
  effect: 'read',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({ matchId: MatchId }),
  output: Match,
  errors: ['NOT_FOUND'],

  async handle({ ctx, input, fail }) {
    const match = await ctx.matches.find(ctx, input)
    if (!match) throw fail('NOT_FOUND', 'There is no such match')
    return match
  },
})
