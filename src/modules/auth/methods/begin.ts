import { z } from 'zod'
import { method } from '../../define.ts'
import { Username } from '../../usernames.ts'
import { authService } from '../service.ts'
import { Begun } from '../types.ts'

export const begin = method({
  summary: 'Begins signing in, or registering a free name; `auth.verify` follows on the same socket within 5 minutes.',
  access: 'anyone',
  effect: 'write',
  limit: { points: 120, perSeconds: 60 },
  // `.in` keeps capitals as they were typed, for the display name.
  input: z.object({ username: Username.in }),
  output: Begun,
  errors: ['FORBIDDEN', 'USERNAME_TAKEN'],
  handle: ({ ctx, input }) => ctx.use(authService).signIn.begin(ctx.call, input.username),
})
