import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { tournamentService } from '../service.ts'
import { TournamentStatus, TournamentSummary } from '../types.ts'

/** With `mine` those that the caller owns or takes part in; without `status` those that are not over. */
export const list = method({
  summary: 'Lists tournaments, the newest first.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({ ...Page, status: TournamentStatus.optional(), mine: z.boolean().optional() }),
  output: listOf(TournamentSummary),
  errors: ['UNAUTHENTICATED'],

  handle({ ctx, input, fail }) {
    if (input.mine && !ctx.user) throw fail('UNAUTHENTICATED', 'Sign in to see your own tournaments')
    return ctx.use(tournamentService).list(input, input.mine ? ctx.user : null)
  },
})
