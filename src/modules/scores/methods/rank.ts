import { z } from 'zod'
import { method } from '../../define.ts'
import { readRank } from '../read-leaderboard.ts'
import { DEFAULT_GAME_MODE, GameMode, Points } from '../types.ts'

export const rank = method({
  summary: 'Answers which rank a score has, or would have, among the best scores of all players.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({ gameMode: GameMode.default(DEFAULT_GAME_MODE), score: Points }),
  output: z.object({ rank: z.number().int(), players: z.number().int() }),

  handle: ({ ctx, input }) => readRank(ctx.sql, input.gameMode, input.score),
})
