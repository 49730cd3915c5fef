import { z } from 'zod'
import { method } from '../../define.ts'
import { Username } from '../../usernames.ts'
import { authService } from '../service.ts'
import { Verified } from '../types.ts'

/** `auth.rotateTotp` sets up a new one. A passkey may have to follow. */
export const recover = method({
  summary: 'Signs in with a recovery code in place of the app.',
  access: 'anyone',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({ username: Username, recoveryCode: z.string().min(1).max(64) }),
  output: Verified,
  errors: ['INVALID_CODE', 'BANNED', 'FORBIDDEN'],
  handle: ({ ctx, input }) => ctx.use(authService).signIn.recover(ctx.call, input.username, input.recoveryCode),
})
