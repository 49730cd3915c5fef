import { z } from 'zod'
import { subscription } from '../../define.ts'
import { UserId } from '../../wire.ts'
import { userService } from '../service.ts'
import { PresenceList } from '../types.ts'

export const onPresence = subscription({
  summary: 'Tells which of up to 64 users are online, and which of them play.',
  access: 'user',
  delivery: 'latest',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({ userIds: z.array(UserId).min(1).max(64) }),
  event: PresenceList,
  open: ({ ctx, input }) => ctx.use(userService).presence.follow(ctx.user.id, input.userIds),
})
