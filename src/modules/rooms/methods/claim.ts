import { z } from 'zod'
import { method } from '../../define.ts'
import { roomService } from '../service.ts'
import { Claim, ClaimKey, RoomId } from '../types.ts'

/** `isFirst` is true once for each key of a room. `userId` is who has it. */
export const claim = method({
  summary: 'Claims a key of a room, such as an item: the first one has it, and the others learn who that is.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({ roomId: RoomId, key: ClaimKey }),
  output: Claim.extend({ isFirst: z.boolean() }),
  errors: ['NOT_IN_ROOM', 'TOO_MANY_CLAIMS'],

  handle: ({ ctx, input }) => ctx.use(roomService).claim(ctx, ctx.user.id, input.roomId, input.key),
})
