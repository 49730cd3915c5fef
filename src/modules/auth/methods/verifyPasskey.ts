import { z } from 'zod'
import { method } from '../../define.ts'
import { authService } from '../service.ts'
import { Authorized, CreatedPasskey, PasskeyName, SignedPasskey } from '../types.ts'

/** `name` is that of a new passkey. */
export const verifyPasskey = method({
  summary: 'Answers what `auth.verify` or `auth.recover` asked for beside the code.',
  access: 'anyone',
  effect: 'write',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({ credential: z.union([CreatedPasskey, SignedPasskey]), name: PasskeyName.optional() }),
  output: Authorized,
  errors: ['NO_CHALLENGE', 'INVALID_PASSKEY', 'USERNAME_TAKEN', 'BANNED', 'FORBIDDEN'],
  handle: ({ ctx, input }) => ctx.use(authService).signIn.verifyPasskey(ctx.call, input.credential, input.name),
})
