import { z } from 'zod'
import { method } from '../../define.ts'
import { UserId } from '../../wire.ts'
import { User } from '../types.ts'

/** The signed-in user, as the socket was opened with: it needs no query. */
export const me = method({
  access: 'user',
  effect: 'read',
  input: z.object({}),
  output: User,
  handle: ({ ctx }) => ({ ...ctx.user, id: UserId.parse(ctx.user.id) }),
})
