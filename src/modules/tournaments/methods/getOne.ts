import { z } from 'zod'
import { method } from '../../define.ts'
import { tournamentService } from '../service.ts'
import { Tournament, TournamentId } from '../types.ts'

export const getOne = method({
  summary: 'Reads a tournament with its players, pairings and standings.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({ tournamentId: TournamentId }),
  output: Tournament,
  errors: ['NOT_FOUND'],

  async handle({ ctx, input, fail }) {
    const tournament = await ctx.use(tournamentService).find(input.tournamentId)
    if (!tournament) throw fail('NOT_FOUND', 'There is no such tournament')
    return tournament
  },
})
