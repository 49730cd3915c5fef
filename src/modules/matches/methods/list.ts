import { z } from 'zod'
import { gameNames } from '../../../games/index.ts'
import { method } from '../../context.ts'
import { listOf, Page } from '../../wire.ts'
import { Match, MatchStatus } from '../types.ts'

/** Public matches, newest first; without `status` those that wait or are live. */
export const list = method({
  access: 'anyone',
  effect: 'read',
  input: z.object({ ...Page, game: z.enum(gameNames).optional(), status: MatchStatus.optional() }),
  output: listOf(Match),

  handle: ({ ctx, input }) => ctx.matches.list(ctx, input),
})
