import { z } from 'zod'
import { method } from '../../define.ts'
import { authService } from '../service.ts'
import { PasskeyId, PasskeyInfo, PasskeyName } from '../types.ts'

export const renamePasskey = method({
  summary: "Gives one of the user's passkeys another name.",
  access: 'user',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({ passkeyId: PasskeyId, name: PasskeyName }),
  output: PasskeyInfo,
  errors: ['NOT_FOUND', 'FORBIDDEN'],
  async handle({ ctx, input, fail }) {
    const { passkeyId, name } = input
    const renamed = await ctx.use(authService).ownPasskeys.rename(ctx, ctx.user.id, passkeyId, name)
    if (!renamed) throw fail('NOT_FOUND', 'You have no such passkey')
    return renamed
  },
})
