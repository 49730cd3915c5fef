import { z } from 'zod'
import { method } from '../../define.ts'
import { Empty } from '../../wire.ts'
import { authService } from '../service.ts'
import { PasskeyId } from '../types.ts'

/** Other sessions that it began end with 4501. */
export const removePasskey = method({
  summary: "Removes one of the user's passkeys, within ten minutes of signing in.",
  access: 'user',
  effect: 'write',
  limit: { points: 30, perSeconds: 60 },
  input: z.object({ passkeyId: PasskeyId }),
  output: Empty,
  errors: ['NOT_FOUND', 'LAST_PASSKEY', 'FORBIDDEN'],
  prepare: ({ ctx }) => ctx.use(authService).ownPasskeys.prepareRemoving(ctx.call),
  async handle({ ctx, input, fail }) {
    const isRemoved = await ctx.use(authService).ownPasskeys.remove(ctx, ctx.call, input.passkeyId)
    if (!isRemoved) throw fail('NOT_FOUND', 'You have no such passkey')
    return {}
  },
})
