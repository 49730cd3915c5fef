import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../wire.ts'
import { authService } from '../service.ts'
import { CURSOR } from '../sessions/sessions.ts'
import { SessionInfo } from '../types.ts'

/** Where the user is signed in, newest first. */
export const sessions = method({
  access: 'user',
  effect: 'read',
  input: z.object({ ...Page, cursor: z.string().regex(CURSOR, 'not a cursor').optional() }),
  output: listOf(SessionInfo),
  handle({ ctx, input }) {
    const { sessionId } = ctx.call.caller
    return ctx.use(authService).sessions.list(ctx, { userId: ctx.user.id, currentId: sessionId }, input)
  },
})
