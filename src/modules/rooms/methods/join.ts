import { method } from '../../define.ts'
import { roomService } from '../service.ts'
import { Room, RoomKey } from '../types.ts'

/** With `matchId` the room is the chat of that match, for its players and for who may watch it. */
export const join = method({
  summary: 'Takes a place in a room, by its id, by its code or as the chat of a match.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: RoomKey,
  output: Room,
  errors: ['NOT_FOUND', 'FORBIDDEN', 'ROOM_FULL', 'TOO_MANY_ROOMS'],

  handle: ({ ctx, input }) =>
    ctx.use(roomService).join(ctx, { id: ctx.user.id, connection: ctx.call.connection }, input),
})
