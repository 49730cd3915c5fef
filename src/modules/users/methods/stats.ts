import { z } from 'zod'
import { method } from '../../define.ts'
import { Username } from '../../usernames.ts'
import { profiles } from '../profiles.ts'
import { statisticsOf } from '../statistics.ts'
import { GameStatistics } from '../types.ts'

export const stats = method({
  summary: 'Answers how many matches a user has played and won against others, by game, and how the rating went.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({ username: Username }),
  output: z.object({ games: z.array(GameStatistics) }),
  errors: ['NOT_FOUND'],

  async handle({ ctx, input, fail }) {
    const profile = await profiles.byName(ctx.sql, input.username)
    if (!profile) throw fail('NOT_FOUND', 'There is no such user')
    return { games: await statisticsOf(ctx.sql, profile.id) }
  },
})
