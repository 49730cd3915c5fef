import { z } from 'zod'
import { method } from '../../define.ts'
import { tournamentService } from '../service.ts'
import { Tournament, TournamentId } from '../types.ts'

export const join = method({
  summary: 'Takes part in an open tournament.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 30, perSeconds: 60 },
  input: z.object({ tournamentId: TournamentId }),
  output: Tournament,
  errors: ['NOT_FOUND', 'TOURNAMENT_CLOSED', 'TOURNAMENT_FULL', 'TOO_MANY_TOURNAMENTS'],

  handle: ({ ctx, input }) => ctx.use(tournamentService).join(ctx, ctx.user, input.tournamentId),
})
