import { z } from 'zod'
import { subscription } from '../../define.ts'
import { matchService } from '../service.ts'
import { Invites } from '../types.ts'

export const onInvite = subscription({
  summary: 'The matches that you are asked to come to, the newest first. Every event is the whole list.',
  access: 'user',
  delivery: 'reliable',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({}),
  event: Invites,

  open: ({ ctx }) => ctx.use(matchService).invites.follow(ctx.user.id),
})
