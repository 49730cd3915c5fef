import { z } from 'zod'
import { method } from '../../define.ts'
import { Empty } from '../../wire.ts'
import { authService } from '../service.ts'
import { TokenId } from '../types.ts'

export const revokeToken = method({
  summary: "Ends one of the user's tokens. Its sockets close with 4501.",
  access: 'user',
  effect: 'write',
  scope: 'none',
  limit: { points: 120, perSeconds: 60 },
  input: z.object({ tokenId: TokenId }),
  output: Empty,
  errors: ['NOT_FOUND'],
  async handle({ ctx, input, fail }) {
    const isEnded = await ctx.use(authService).tokens.revoke(ctx, ctx.user.id, input.tokenId)
    if (!isEnded) throw fail('NOT_FOUND', 'You have no such token')
    return {}
  },
})
