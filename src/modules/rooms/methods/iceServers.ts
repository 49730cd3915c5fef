import { z } from 'zod'
import { method } from '../../define.ts'
import { roomService } from '../service.ts'
import { IceServer, RoomId } from '../types.ts'

export const iceServers = method({
  summary: 'Gives the STUN and TURN servers for a call, with credentials for an hour.',
  access: 'user',
  scope: 'play',
  effect: 'read',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({ roomId: RoomId }),
  output: z.object({ iceServers: z.array(IceServer) }),
  errors: ['NOT_IN_ROOM'],

  async handle({ ctx, input }) {
    return { iceServers: await ctx.use(roomService).iceServers(ctx.user.id, input.roomId) }
  },
})
