import { z } from 'zod'
import { method } from '../../define.ts'
import { matchService } from '../service.ts'
import { QueueState } from '../types.ts'

export const enqueue = method({
  summary: 'Waits for a ranked match against players of about the same rating. Asking again changes nothing.',
  access: 'user',
  effect: 'write',
  scope: 'play',
  limit: { points: 30, perSeconds: 60 },
  input: z.object({ game: z.string() }),
  output: QueueState,
  errors: ['TOO_MANY_MATCHES'],

  handle: ({ ctx, input }) => ctx.use(matchService).queue.enqueue(ctx, ctx.user.id, input.game),
})
