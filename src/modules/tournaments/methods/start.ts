import { z } from 'zod'
import { method } from '../../define.ts'
import { tournamentService } from '../service.ts'
import { Tournament, TournamentId } from '../types.ts'

export const start = method({
  summary: 'Starts a tournament of the caller: seeds its players, and draws who meets whom.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 30, perSeconds: 60 },
  input: z.object({ tournamentId: TournamentId }),
  output: Tournament,
  errors: ['NOT_FOUND', 'FORBIDDEN', 'TOURNAMENT_CLOSED', 'TOO_FEW_PLAYERS'],

  handle: ({ ctx, input }) => ctx.use(tournamentService).begin(ctx, ctx.user, input.tournamentId),
})
