import { z } from 'zod'
import { method } from '../../define.ts'
import { Empty } from '../../wire.ts'
import { roomService } from '../service.ts'
import { RoomId } from '../types.ts'

export const leave = method({
  summary: 'Gives up the place in a room; a host hands over to the member who has been there the longest.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({ roomId: RoomId }),
  output: Empty,
  errors: ['NOT_IN_ROOM'],

  async handle({ ctx, input }) {
    await ctx.use(roomService).leave(ctx, ctx.user.id, input.roomId)
    return {}
  },
})
