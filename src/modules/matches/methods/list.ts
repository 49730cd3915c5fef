import { z } from 'zod'
import { RpcError } from '../../../rpc/index.ts'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { matchService } from '../service.ts'
import { Match, MatchStatus } from '../types.ts'

/** Without `status` the waiting and live ones. */
export const list = method({
  summary: 'Lists public matches, or with `mine` all matches of the caller, newest first.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({
    ...Page,
    game: z.string().optional(),
    status: MatchStatus.optional(),
    mine: z.boolean().optional(),
  }),
  output: listOf(Match),

  handle({ ctx, input }) {
    if (input.mine && !ctx.user) throw new RpcError('UNAUTHENTICATED', 'Sign in to see your own matches')
    return ctx.use(matchService).pages.list(input, input.mine ? ctx.user : null)
  },
})
