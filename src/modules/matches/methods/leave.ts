import { z } from 'zod'
import { method } from '../../context.ts'
import { MatchId } from '../../wire.ts'
import { Match } from '../types.ts'

/** Gives up one's seat. A match that waits goes on waiting, or ends with its last player; a live one is forfeited. */
export const leave = method({
  access: 'user',
  effect: 'write',
  input: z.object({ matchId: MatchId }),
  output: Match,
  errors: ['NOT_FOUND'],

  handle: ({ ctx, input }) => ctx.matches.leave(ctx, ctx.user, input.matchId),
})
