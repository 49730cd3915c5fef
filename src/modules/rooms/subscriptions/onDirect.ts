import { z } from 'zod'
import { subscription } from '../../define.ts'
import { roomService } from '../service.ts'
import { DirectFrame, RoomId } from '../types.ts'

/** Nothing is kept for who is not connected. */
export const onDirect = subscription({
  summary: 'What other members of a room send to the caller: signals, actions, and states for the caller alone.',
  access: 'user',
  delivery: 'reliable',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({ roomId: RoomId }),
  event: DirectFrame,
  errors: ['NOT_FOUND', 'NOT_IN_ROOM', 'UNAVAILABLE'],

  open: ({ ctx, input }) =>
    ctx.use(roomService).openDirect({ id: ctx.user.id, connection: ctx.call.connection }, input.roomId),
})
