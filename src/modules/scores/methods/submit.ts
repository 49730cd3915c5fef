import { z } from 'zod'
import { method } from '../../define.ts'
import { scoreService } from '../service.ts'
import { GameMode, PlayerName, Points, RunFacts, Score } from '../types.ts'

const facts = RunFacts.shape

/** Only the best scores of a shown name and mode are kept, so a low one may be gone right after it was counted. */
export const submit = method({
  summary:
    'Stores a score of the caller, and enters it on the leaderboards where it is the best one of the shown name.',
  access: 'user',
  scope: 'scores:write',
  effect: 'write',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({
    gameMode: GameMode,
    score: Points,
    playerName: PlayerName.optional(),
    coins: facts.coins.default(0),
    enemiesDefeated: facts.enemiesDefeated.default(0),
    distance: facts.distance.default(0),
    level: facts.level.default(0),
  }),
  output: z.object({ score: Score, isBest: z.boolean() }),
  errors: ['FORBIDDEN', 'TOO_MANY_MODES', 'TOO_MANY_NAMES'],

  async handle({ ctx, input: { playerName, ...run } }) {
    const { score, isBest } = await ctx.use(scoreService).submit(ctx, ctx.user, { ...run, playerName })
    return { score, isBest }
  },
})
