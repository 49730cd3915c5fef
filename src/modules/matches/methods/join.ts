import { z } from 'zod'
import { method } from '../../define.ts'
import { MatchId } from '../../wire.ts'
import { matchService } from '../service.ts'
import { JoinCode, Match } from '../types.ts'

export const join = method({
  summary: 'Takes a free seat in a waiting match, by its id or by its code.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.union([z.object({ matchId: MatchId }), z.object({ code: JoinCode })]),
  output: Match,
  errors: ['NOT_FOUND', 'MATCH_FULL', 'MATCH_CLOSED', 'TOO_MANY_MATCHES'],

  handle: ({ ctx, input }) => ctx.use(matchService).join(ctx, ctx.user, input),
})
