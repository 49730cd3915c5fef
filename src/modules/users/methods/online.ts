import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { listOnline } from '../presence/presence-rows.ts'
import { OnlineUser } from '../types.ts'

export const online = method({
  summary: 'Lists users who are online, the newest account first.',
  access: 'user',
  effect: 'read',
  limit: { points: 60, perSeconds: 60 },
  input: z.object(Page),
  output: listOf(OnlineUser),
  handle: ({ ctx, input }) => listOnline(ctx.sql, input),
})
