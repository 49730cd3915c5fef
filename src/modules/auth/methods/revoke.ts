import { z } from 'zod'
import { method } from '../../define.ts'
import { Empty, SessionId } from '../../wire.ts'
import { authService } from '../service.ts'

export const revoke = method({
  summary: "Ends one of the user's sessions, in any browser; its sockets close with 4501.",
  access: 'user',
  effect: 'write',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({ sessionId: SessionId }),
  output: Empty,
  errors: ['NOT_FOUND'],
  async handle({ ctx, input, fail }) {
    const isEnded = await ctx.use(authService).sessions.finish(ctx, input.sessionId, ctx.user.id, 'revoked')
    if (!isEnded) throw fail('NOT_FOUND', 'You have no such session')
    return {}
  },
})
