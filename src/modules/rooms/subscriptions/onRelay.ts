import { z } from 'zod'
import { subscription } from '../../define.ts'
import { roomService } from '../service.ts'
import { RelayFrame, RoomId } from '../types.ts'

/** One frame in a 20th of a second at most. It has the reader's own states too, so that all readers get the same bytes. */
export const onRelay = subscription({
  summary: 'The newest states of the members of a room: a snapshot of all, then what changed.',
  access: 'user',
  delivery: 'latest',
  limit: { points: 300, perSeconds: 60 },
  input: z.object({ roomId: RoomId }),
  event: RelayFrame,
  errors: ['NOT_FOUND', 'NOT_IN_ROOM', 'UNAVAILABLE'],

  open: ({ ctx, input }) =>
    ctx.use(roomService).openRelay({ id: ctx.user.id, connection: ctx.call.connection }, input.roomId),
})
