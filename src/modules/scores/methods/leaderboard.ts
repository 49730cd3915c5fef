import { z } from 'zod'
import { method } from '../../define.ts'
import { readAround, readTop } from '../read-leaderboard.ts'
import { DEFAULT_GAME_MODE, GameMode, Leaderboard, MAX_LISTED, Period } from '../types.ts'

export const leaderboard = method({
  summary:
    'Lists the best score of each player in a game mode, from the top or around the caller; a player is an account and a shown name.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({
    gameMode: GameMode.default(DEFAULT_GAME_MODE),
    limit: z.number().int().min(1).max(MAX_LISTED).default(20),
    around: z.literal('me').optional(),
    period: Period.default('all'),
  }),
  output: Leaderboard,
  errors: ['UNAUTHENTICATED'],

  async handle({ ctx, input: { gameMode, limit, around, period }, fail }) {
    if (around === undefined) return (await readTop(ctx.sql, gameMode, period, limit)).leaderboard
    if (!ctx.user) throw fail('UNAUTHENTICATED', 'Only a user has a place on the leaderboard')
    return readAround(ctx.sql, gameMode, period, limit, ctx.user.id)
  },
})
