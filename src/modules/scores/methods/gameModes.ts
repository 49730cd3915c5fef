import { z } from 'zod'
import { method } from '../../define.ts'
import { Empty } from '../../wire.ts'
import { scoreService } from '../service.ts'
import { GameModeSummary } from '../types.ts'

export const gameModes = method({
  summary: 'Lists the game modes with the most players, at most 50.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 120, perSeconds: 60 },
  input: Empty,
  output: z.object({ items: z.array(GameModeSummary) }),

  handle: async ({ ctx }) => ({ items: await ctx.use(scoreService).gameModes() }),
})
