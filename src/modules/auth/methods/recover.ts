import { z } from 'zod'
import { method } from '../../define.ts'
import { Username } from '../../usernames.ts'
import { authService } from '../service.ts'
import { Authorized } from '../types.ts'

/** Signs in with a recovery code, which is then used up. `auth.rotateTotp` sets up a new authenticator. */
export const recover = method({
  access: 'anyone',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({ username: Username, recoveryCode: z.string().min(1).max(64) }),
  output: Authorized,
  errors: ['INVALID_CODE', 'BANNED', 'FORBIDDEN'],
  handle: ({ ctx, input }) => ctx.use(authService).signIn.recover(ctx.call.caller, input.username, input.recoveryCode),
})
