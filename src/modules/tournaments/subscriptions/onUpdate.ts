import { z } from 'zod'
import { subscription } from '../../define.ts'
import { tournamentService } from '../service.ts'
import { Tournament, TournamentId } from '../types.ts'

export const onUpdate = subscription({
  summary: 'Follows a tournament as players join, matches are made, and results come in.',
  access: 'anyone',
  delivery: 'reliable',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({ tournamentId: TournamentId }),
  event: Tournament,
  errors: ['NOT_FOUND'],

  async open({ ctx, input, fail }) {
    const opened = await ctx.use(tournamentService).follow(input.tournamentId)
    if (!opened) throw fail('NOT_FOUND', 'There is no such tournament')
    return opened
  },
})
