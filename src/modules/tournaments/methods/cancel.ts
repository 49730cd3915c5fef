import { z } from 'zod'
import { method } from '../../define.ts'
import { tournamentService } from '../service.ts'
import { Tournament, TournamentId } from '../types.ts'

export const cancel = method({
  summary: 'Ends a tournament of the caller without a winner. Matches that are played go on.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 30, perSeconds: 60 },
  input: z.object({ tournamentId: TournamentId }),
  output: Tournament,
  errors: ['NOT_FOUND', 'FORBIDDEN', 'TOURNAMENT_CLOSED'],

  handle: ({ ctx, input }) => ctx.use(tournamentService).cancel(ctx, ctx.user, input.tournamentId),
})
