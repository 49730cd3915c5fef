import { z } from 'zod'
import { method } from '../../define.ts'
import { matchService } from '../../matches/index.ts'
import { Match, MatchStatus } from '../../matches/types.ts'
import { listOf, Page } from '../../pages.ts'
import { UserId } from '../../wire.ts'

/** To watch one, follow it by its id as everybody does. */
export const matches = method({
  summary: 'Lists all matches, newest first, private and local ones too.',
  access: 'admin',
  effect: 'read',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({ ...Page, status: MatchStatus.optional(), game: z.string().optional(), userId: UserId.optional() }),
  output: listOf(Match),
  handle: ({ ctx, input }) => ctx.use(matchService).pages.listAll(input),
})
