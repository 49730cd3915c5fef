import { z } from 'zod'
import { method } from '../../define.ts'
import { User } from '../types.ts'

/** The signed-in user, as known when the socket opened: it needs no query. */
export const me = method({
  access: 'user',
  effect: 'read',
  input: z.object({}),
  output: User,
  handle: ({ ctx }) => ctx.user,
})
