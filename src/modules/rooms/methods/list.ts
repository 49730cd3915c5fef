import { z } from 'zod'
import { method } from '../../define.ts'
import { listOf, Page } from '../../pages.ts'
import { roomService } from '../service.ts'
import { ListedRoom, RoomKind } from '../types.ts'

export const list = method({
  summary: 'Lists the public rooms with somebody in them, newest first, without their members.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({ ...Page, kind: RoomKind.optional() }),
  output: listOf(ListedRoom),

  handle: ({ ctx, input }) => ctx.use(roomService).list(input, input.kind),
})
