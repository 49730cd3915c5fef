import { z } from 'zod'
import { method } from '../../define.ts'
import { Empty } from '../../wire.ts'
import { authService } from '../service.ts'

export const logout = method({
  summary: "Ends the caller's session: its sockets close with 4501 after the answer, and its cookie is refused.",
  access: 'user',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({}),
  output: Empty,
  async handle({ ctx }) {
    const { sessionId } = ctx.call.caller
    if (sessionId !== null) await ctx.use(authService).sessions.finish(ctx, sessionId, ctx.user.id, 'logout')
    return {}
  },
})
