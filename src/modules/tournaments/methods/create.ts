import { z } from 'zod'
import { method } from '../../define.ts'
import { tournamentService } from '../service.ts'
import { Tournament, TournamentFormat, TournamentName } from '../types.ts'

/** The owner does not take part without joining. `options` are those of the game, for each match. */
export const create = method({
  summary: 'Opens a tournament, which others can join until the caller starts it.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 30, perSeconds: 60 },
  input: z.object({
    name: TournamentName,
    game: z.string(),
    size: z.number().int(),
    format: TournamentFormat,
    options: z.record(z.string(), z.unknown()).optional(),
  }),
  output: Tournament,
  errors: ['TOO_MANY_TOURNAMENTS'],

  handle: ({ ctx, input }) => ctx.use(tournamentService).create(ctx, ctx.user, input),
})
