import { z } from 'zod'
import { method } from '../../define.ts'
import { Visibility } from '../../matches/types.ts'
import { roomService } from '../service.ts'
import { Room, RoomKind, RoomName } from '../types.ts'

export const create = method({
  summary: 'Opens a room and comes in; a private one is not listed.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 20, perSeconds: 60 },
  input: z.object({
    name: RoomName,
    kind: RoomKind,
    capacity: z.number().int().min(2).optional(),
    visibility: Visibility.optional(),
  }),
  output: Room,
  errors: ['TOO_MANY_ROOMS'],

  handle: ({ ctx, input }) =>
    ctx.use(roomService).create(ctx, { id: ctx.user.id, connection: ctx.call.connection }, input),
})
