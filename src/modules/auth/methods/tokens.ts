import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { authService } from '../service.ts'
import { TokenInfo } from '../types.ts'

export const tokens = method({
  summary: 'Lists the tokens that the user has made, newest first, without the tokens themselves.',
  access: 'user',
  effect: 'read',
  scope: 'none',
  limit: { points: 300, perSeconds: 60 },
  input: z.object(Page),
  output: listOf(TokenInfo),
  handle: ({ ctx, input }) => ctx.use(authService).tokens.list(ctx, ctx.user.id, input),
})
