import { z } from 'zod'
import { method } from '../../define.ts'
import { roomService } from '../service.ts'
import { ChatMessage, ChatText, RoomId } from '../types.ts'

export const chat = method({
  summary: 'Writes a message to a room.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 20, perSeconds: 20 },
  input: z.object({ roomId: RoomId, text: ChatText }),
  output: ChatMessage,
  errors: ['NOT_IN_ROOM'],

  handle: ({ ctx, input }) => ctx.use(roomService).chat(ctx, ctx.user.id, input.roomId, input.text),
})
