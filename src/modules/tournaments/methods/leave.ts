import { z } from 'zod'
import { method } from '../../define.ts'
import { tournamentService } from '../service.ts'
import { Tournament, TournamentId } from '../types.ts'

export const leave = method({
  summary: 'Takes part no more. In a running tournament this gives up every match that is not over.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 30, perSeconds: 60 },
  input: z.object({ tournamentId: TournamentId }),
  output: Tournament,
  errors: ['NOT_FOUND', 'TOURNAMENT_CLOSED'],

  handle: ({ ctx, input }) => ctx.use(tournamentService).leave(ctx, ctx.user, input.tournamentId),
})
