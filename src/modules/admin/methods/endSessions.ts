import { z } from 'zod'
import { authService } from '../../auth/index.ts'
import { method } from '../../define.ts'
import { UserId } from '../../wire.ts'
import { recordAct } from '../audit-log.ts'
import { findUser } from '../users.ts'

export const endSessions = method({
  summary: 'Signs a user out everywhere: the sockets of all sessions close with 4501.',
  access: 'admin',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({ userId: UserId }),
  output: z.object({ ended: z.number().int() }),
  errors: ['NOT_FOUND'],

  async handle({ ctx, input: { userId }, fail }) {
    await recordAct(ctx, { act: 'endSessions', userId })
    if (!(await findUser(ctx.sql, { userId }))) throw fail('NOT_FOUND', 'There is no such user')
    return { ended: await ctx.use(authService).moderation.endSessions(ctx, userId) }
  },
})
