import { method } from '../../define.ts'
import { Empty } from '../../wire.ts'
import { matchService } from '../service.ts'
import { QueueState } from '../types.ts'

export const dequeue = method({
  summary: 'Waits no longer for a ranked match. The answer says if one was found before.',
  access: 'user',
  effect: 'write',
  scope: 'play',
  limit: { points: 60, perSeconds: 60 },
  input: Empty,
  output: QueueState,

  handle: ({ ctx }) => ctx.use(matchService).queue.dequeue(ctx, ctx.user.id),
})
