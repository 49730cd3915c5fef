import { z } from 'zod'
import { subscription } from '../../define.ts'
import { roomService } from '../service.ts'
import { RoomEvent, RoomId, RoomSnapshot } from '../types.ts'

/** A log: who comes back gets the messages and claims that were missed, and the room as it is. */
export const onRoom = subscription({
  summary: 'A room as its members change, what they write and what they claim.',
  access: 'user',
  delivery: 'reliable',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({ roomId: RoomId }),
  event: RoomEvent,
  snapshot: RoomSnapshot,
  errors: ['NOT_FOUND', 'NOT_IN_ROOM'],

  open: ({ ctx, input, since }) =>
    ctx.use(roomService).openRoom({ id: ctx.user.id, connection: ctx.call.connection }, input.roomId, since),
})
