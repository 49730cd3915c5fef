import { z } from 'zod'
import { method } from '../../define.ts'
import { Empty, UserId } from '../../wire.ts'
import { roomService } from '../service.ts'
import { RelayKind, RoomId } from '../types.ts'

/** Costs no query: this node knows who is in the rooms of its sockets. */
export const relay = method({
  summary: 'Sends a state or an action to the other members of a room, or to one of them.',
  access: 'user',
  scope: 'play',
  effect: 'input',
  limit: { points: 600, perSeconds: 10 },
  input: z.object({ roomId: RoomId, kind: RelayKind, payload: z.unknown(), to: UserId.optional() }),
  output: Empty,
  errors: ['NOT_IN_ROOM', 'NOT_FOUND'],

  handle({ ctx, input: { roomId, ...message } }) {
    const sent = ctx.use(roomService).send({ id: ctx.user.id, connection: ctx.call.connection }, roomId, message)
    return sent ? sent.then(() => ({})) : {}
  },
})
