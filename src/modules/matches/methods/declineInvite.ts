import { z } from 'zod'
import { method } from '../../define.ts'
import { Empty } from '../../wire.ts'
import { matchService } from '../service.ts'
import { InviteId } from '../types.ts'

export const declineInvite = method({
  summary: 'Declines an invite. Its sender cannot invite you for five minutes, and nobody to the same match.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({ inviteId: InviteId }),
  output: Empty,
  errors: ['NOT_FOUND'],

  async handle({ ctx, input }) {
    await ctx.use(matchService).invites.decline(ctx, ctx.user.id, input.inviteId)
    return {}
  },
})
