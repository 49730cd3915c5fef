import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { Username } from '../../usernames.ts'
import { matchService } from '../service.ts'
import { Match } from '../types.ts'

export const history = method({
  summary: 'Lists finished matches of a player, newest first; without `username` those of the caller.',
  access: 'user',
  effect: 'read',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({ ...Page, username: Username.optional() }),
  output: listOf(Match),

  handle: ({ ctx, input }) => ctx.use(matchService).pages.history(input, input.username ?? ctx.user.username, ctx.user),
})
