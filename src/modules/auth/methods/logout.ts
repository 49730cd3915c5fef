import { z } from 'zod'
import { method } from '../../context.ts'
import { Empty } from '../../wire.ts'

/** Ends the session that asks. Its sockets close with 4501 after the answer; the cookie is worth nothing any more. */
export const logout = method({
  access: 'user',
  effect: 'write',
  input: z.object({}),
  output: Empty,
  async handle({ ctx }) {
    const { sessionId } = ctx.call.caller
    if (sessionId !== null) await ctx.auth.sessions.finish(ctx, sessionId, ctx.user.id, 'logout')
    return {}
  },
})
