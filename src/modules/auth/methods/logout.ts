import { z } from 'zod'
import { method } from '../../define.ts'
import { Empty } from '../../wire.ts'
import { authService } from '../service.ts'

/** Ends the session that asks. Its sockets close with 4501 after the answer; the cookie is worth nothing any more. */
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
