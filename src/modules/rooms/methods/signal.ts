import { z } from 'zod'
import { method } from '../../define.ts'
import { Empty, UserId } from '../../wire.ts'
import { roomService } from '../service.ts'
import { RoomId } from '../types.ts'

export const signal = method({
  summary: 'Sends what two browsers need for a connection of their own (WebRTC) to one member of a room.',
  access: 'user',
  scope: 'play',
  effect: 'input',
  limit: { points: 300, perSeconds: 10 },
  input: z.object({ roomId: RoomId, to: UserId, payload: z.unknown() }),
  output: Empty,
  errors: ['NOT_IN_ROOM', 'NOT_FOUND'],

  handle({ ctx, input: { roomId, to, payload } }) {
    const asker = { id: ctx.user.id, connection: ctx.call.connection }
    const sent = ctx.use(roomService).send(asker, roomId, { kind: 'signal', to, payload })
    return sent ? sent.then(() => ({})) : {}
  },
})
