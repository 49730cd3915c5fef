import { subscription } from '../../define.ts'
import { Empty } from '../../wire.ts'
import { matchService } from '../service.ts'
import { QueueState } from '../types.ts'

export const onQueue = subscription({
  summary: 'Where you stand in the queue for ranked matches, and how many wait. Every event is the whole state.',
  access: 'user',
  delivery: 'latest',
  limit: { points: 300, perSeconds: 60 },
  input: Empty,
  event: QueueState,

  open: ({ ctx }) => ctx.use(matchService).queue.follow(ctx.user.id),
})
