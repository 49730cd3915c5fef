import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { matchService } from '../service.ts'
import { Rated } from '../types.ts'

export const ratings = method({
  summary: 'Lists the best players of a game: the highest rating minus twice its deviation first.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({ ...Page, game: z.string() }),
  output: listOf(Rated),

  handle: ({ ctx, input }) => ctx.use(matchService).pages.ratings(input, input.game),
})
