import { z } from 'zod'
import { method } from '../../define.ts'
import { authService } from '../service.ts'
import { PasskeyAsked } from '../types.ts'

export const recoverPasskey = method({
  summary:
    'Takes a recovery code where a passkey was asked for, and asks for a new one, which then replaces all others.',
  access: 'anyone',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({ recoveryCode: z.string().min(1).max(64) }),
  output: PasskeyAsked,
  errors: ['NO_CHALLENGE', 'INVALID_CODE', 'BANNED', 'FORBIDDEN'],
  handle: ({ ctx, input }) => ctx.use(authService).signIn.recoverPasskey(ctx.call, input.recoveryCode),
})
