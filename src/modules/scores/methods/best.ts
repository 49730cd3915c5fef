import { z } from 'zod'
import { method } from '../../define.ts'
import { Username } from '../../usernames.ts'
import { readBest } from '../player-scores.ts'
import { scoreService } from '../service.ts'
import { GameMode, Score } from '../types.ts'

export const best = method({
  summary: 'Lists the best score of a user under the own name, in each game mode or in one.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({ username: Username, gameMode: GameMode.optional() }),
  output: z.object({ items: z.array(Score) }),
  errors: ['NOT_FOUND'],

  async handle({ ctx, input, fail }) {
    const userId = await ctx.use(scoreService).userId(ctx.sql, input.username)
    if (userId === undefined) throw fail('NOT_FOUND', 'There is no such user')
    return { items: await readBest(ctx.sql, userId, input.gameMode) }
  },
})
