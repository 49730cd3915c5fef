import { z } from 'zod'
import { method } from '../../define.ts'
import { MatchId } from '../../wire.ts'
import { matchService } from '../service.ts'
import { Match } from '../types.ts'

/** The first player who asks opens the new match. */
export const rematch = method({
  summary: 'Plays a finished match again, with seats kept for the same players.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 30, perSeconds: 60 },
  input: z.object({ matchId: MatchId }),
  output: Match,
  errors: ['NOT_FOUND', 'FORBIDDEN', 'NOT_FINISHED', 'MATCH_FULL', 'MATCH_CLOSED', 'TOO_MANY_MATCHES'],

  handle: ({ ctx, input }) => ctx.use(matchService).rematch(ctx, ctx.user, input.matchId),
})
