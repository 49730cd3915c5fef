import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { roomService } from '../service.ts'
import { PastRoom } from '../types.ts'

export const history = method({
  summary: 'Lists the rooms that the caller is or was in, how long they lasted and who was there.',
  access: 'user',
  effect: 'read',
  limit: { points: 300, perSeconds: 60 },
  input: z.object(Page),
  output: listOf(PastRoom),

  handle: ({ ctx, input }) => ctx.use(roomService).history(input, ctx.user.id),
})
