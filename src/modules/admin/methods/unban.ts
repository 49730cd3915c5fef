import { z } from 'zod'
import { authService } from '../../auth/index.ts'
import { method } from '../../define.ts'
import { Empty, UserId } from '../../wire.ts'
import { recordAct } from '../audit-log.ts'

export const unban = method({
  summary: 'Lifts a ban, so that the user may sign in again.',
  access: 'admin',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({ userId: UserId }),
  output: Empty,
  errors: ['NOT_FOUND'],

  async handle({ ctx, input: { userId }, fail }) {
    await recordAct(ctx, { act: 'unban', userId })
    const isLifted = await ctx.use(authService).moderation.unban(ctx, userId)
    if (!isLifted) throw fail('NOT_FOUND', 'There is no such user, or no ban')
    return {}
  },
})
