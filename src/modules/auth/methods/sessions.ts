import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { authService } from '../service.ts'
import { SessionInfo } from '../types.ts'

export const sessions = method({
  summary: 'Lists where the user is signed in, newest first.',
  access: 'user',
  scope: 'none',
  effect: 'read',
  limit: { points: 300, perSeconds: 60 },
  input: z.object(Page),
  output: listOf(SessionInfo),
  handle: ({ ctx, input }) => ctx.use(authService).sessions.list(ctx, ctx.user.id, ctx.call.caller.sessionId, input),
})
