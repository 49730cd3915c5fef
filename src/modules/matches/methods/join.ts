import { z } from 'zod'
import { method } from '../../context.ts'
import { MatchId } from '../../wire.ts'
import { JoinCode, Match } from '../types.ts'

/** Takes a free seat in a waiting match, by its id or by its code. */
export const join = method({
  access: 'user',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.union([z.object({ matchId: MatchId }), z.object({ code: JoinCode })]),
  output: Match,
  errors: ['NOT_FOUND', 'MATCH_FULL', 'MATCH_CLOSED', 'TOO_MANY_MATCHES'],

  handle: ({ ctx, input }) => ctx.matches.join(ctx, ctx.user, input),
})
