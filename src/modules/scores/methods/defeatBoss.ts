import { z } from 'zod'
import { method } from '../../define.ts'
import { defeatBoss as countDefeat } from '../bosses.ts'
import { Boss, BossDefeat } from '../types.ts'

export const defeatBoss = method({
  summary: 'Counts one more defeat of a boss by the caller.',
  access: 'user',
  scope: 'scores:write',
  effect: 'write',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({ boss: Boss }),
  output: BossDefeat,
  errors: ['TOO_MANY_BOSSES'],

  handle: ({ ctx, input }) => countDefeat(ctx.sql, ctx.user.id, input.boss),
})
