import { z } from 'zod'
import { method } from '../../define.ts'
import { matchService } from '../service.ts'
import { InviteId, Match } from '../types.ts'

export const acceptInvite = method({
  summary: 'Accepts an invite: takes a seat in its match, unless you have one there.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({ inviteId: InviteId }),
  output: Match,
  errors: ['NOT_FOUND', 'MATCH_FULL', 'MATCH_CLOSED', 'TOO_MANY_MATCHES'],

  async handle({ ctx, input }) {
    const matches = ctx.use(matchService)
    const matchId = await matches.invites.matchOf(ctx, ctx.user.id, input.inviteId)
    const match = await matches.join(ctx, ctx.user, { matchId })
    await matches.invites.remove(ctx, ctx.user.id, input.inviteId)
    return match
  },
})
