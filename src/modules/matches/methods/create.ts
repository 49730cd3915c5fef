import { z } from 'zod'
import { method } from '../../define.ts'
import { matchService } from '../service.ts'
import { Match, MatchMode, Visibility } from '../types.ts'

/** In mode `bot` the server plays the others. */
export const create = method({
  summary: 'Opens a match and takes its first seat; in mode `local` all seats.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 30, perSeconds: 60 },
  input: z.object({
    game: z.string(),
    mode: MatchMode.exclude(['ranked']),
    visibility: Visibility.optional(),
    options: z.record(z.string(), z.unknown()).optional(),
  }),
  output: Match,
  errors: ['TOO_MANY_MATCHES'],

  handle: ({ ctx, input }) => ctx.use(matchService).create(ctx, ctx.user, input),
})
