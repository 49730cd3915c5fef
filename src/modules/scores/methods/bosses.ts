import { z } from 'zod'
import { method } from '../../define.ts'
import { Username } from '../../usernames.ts'
import { readBosses } from '../bosses.ts'
import { scoreService } from '../service.ts'
import { BossDefeat } from '../types.ts'

export const bosses = method({
  summary:
    'Lists the bosses that a user, or without a name the caller, has defeated, in the order of the first defeats.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({ username: Username.optional() }),
  output: z.object({ items: z.array(BossDefeat) }),
  errors: ['NOT_FOUND', 'UNAUTHENTICATED'],

  async handle({ ctx, input: { username }, fail }) {
    if (username === undefined && !ctx.user) throw fail('UNAUTHENTICATED', 'Name a user, or sign in')
    const userId = username === undefined ? ctx.user?.id : await ctx.use(scoreService).userId(ctx.sql, username)
    if (userId === undefined) throw fail('NOT_FOUND', 'There is no such user')
    return { items: await readBosses(ctx.sql, userId) }
  },
})
