import { z } from 'zod'
import { subscription } from '../../define.ts'
import { leaderboardChannel } from '../leaderboard-feed.ts'
import { scoreService } from '../service.ts'
import { GameMode, Leaderboard, Period } from '../types.ts'

export const onLeaderboard = subscription({
  summary: 'Follows the first 50 entries of a leaderboard; every event is the whole list.',
  access: 'anyone',
  delivery: 'latest',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({ gameMode: GameMode, period: Period.default('all') }),
  event: Leaderboard,

  async open({ ctx, input: { gameMode, period } }) {
    const { seq, leaderboard } = await ctx.use(scoreService).follow(gameMode, period)
    return { channel: leaderboardChannel(gameMode, period), seq, snapshot: leaderboard }
  },
})
