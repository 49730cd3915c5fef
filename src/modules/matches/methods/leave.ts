import { z } from 'zod'
import { method } from '../../define.ts'
import { MatchId } from '../../wire.ts'
import { matchService } from '../service.ts'
import { Match } from '../types.ts'

/** A waiting match goes on waiting, or ends with its last player; a live one is forfeited. */
export const leave = method({
  summary: 'Gives up a seat.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({ matchId: MatchId }),
  output: Match,
  errors: ['NOT_FOUND'],

  handle: ({ ctx, input }) => ctx.use(matchService).leave(ctx, ctx.user.id, input.matchId),
})
