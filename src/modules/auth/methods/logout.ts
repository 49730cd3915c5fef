import { z } from 'zod'
import { method } from '../../define.ts'
import { Empty } from '../../wire.ts'
import { authService } from '../service.ts'

/** Ends the session of this socket. Its sockets close with 4501 after the answer, and its cookie is no longer accepted. */
export const logout = method({
  access: 'user',
  effect: 'write',
  input: z.object({}),
  output: Empty,
  async handle({ ctx }) {
    const { sessionId } = ctx.call.caller
    if (sessionId !== null) await ctx.use(authService).sessions.finish(ctx, sessionId, ctx.user.id, 'logout')
    return {}
  },
})
