import { z } from 'zod'
import { method } from '../../define.ts'
import { authService } from '../service.ts'
import { TotpCode, Verified } from '../types.ts'

export const verify = method({
  summary: 'Answers the challenge of `auth.begin` with a code of the authenticator app; a passkey may have to follow.',
  access: 'anyone',
  effect: 'write',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({ code: TotpCode }),
  output: Verified,
  errors: ['NO_CHALLENGE', 'INVALID_CODE', 'USERNAME_TAKEN', 'BANNED', 'FORBIDDEN'],
  handle: ({ ctx, input }) => ctx.use(authService).signIn.verify(ctx.call, input.code),
})
