import { z } from 'zod'
import { method } from '../../define.ts'
import { User } from '../types.ts'

/** It needs no query. */
export const me = method({
  summary: 'Gives the signed-in user, as known when the socket opened.',
  access: 'user',
  effect: 'read',
  limit: { points: 600, perSeconds: 60 },
  input: z.object({}),
  output: User,
  handle: ({ ctx }) => ctx.user,
})
