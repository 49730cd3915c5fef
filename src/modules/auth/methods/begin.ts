import { z } from 'zod'
import { method } from '../../define.ts'
import { Username } from '../../usernames.ts'
import { authService } from '../service.ts'
import { Begun } from '../types.ts'

/** Begins signing in, or registering a free name. What follows is `auth.verify` on the same socket within 5 minutes. */
export const begin = method({
  access: 'anyone',
  effect: 'write',
  limit: { points: 120, perSeconds: 60 },
  // As typed: a free name's capitals become the display name.
  input: z.object({ username: Username.in }),
  output: Begun,
  errors: ['FORBIDDEN'],
  handle: ({ ctx, input }) => ctx.use(authService).signIn.begin(ctx.call, input.username),
})
