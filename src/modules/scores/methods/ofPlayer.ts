import { z } from 'zod'
import { method } from '../../define.ts'
import { scoreService } from '../service.ts'
import { GameMode, PlayerName, Score } from '../types.ts'

export const ofPlayer = method({
  summary:
    'Lists the kept scores that are shown under a name: those of the user of this name, else those of any account.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({
    name: PlayerName,
    gameMode: GameMode.optional(),
    limit: z.number().int().min(1).max(50).default(20),
  }),
  output: z.object({ items: z.array(Score) }),
  errors: ['NOT_FOUND'],

  async handle({ ctx, input: { name, gameMode, limit }, fail }) {
    const items = await ctx.use(scoreService).scoresOf(ctx.sql, name, { gameMode, limit })
    if (items.length === 0) throw fail('NOT_FOUND', 'There is no score of this player')
    return { items }
  },
})
