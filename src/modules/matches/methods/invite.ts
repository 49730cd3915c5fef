import { z } from 'zod'
import { method } from '../../define.ts'
import { Username } from '../../usernames.ts'
import { MatchId } from '../../wire.ts'
import { matchService } from '../service.ts'
import { Invite } from '../types.ts'

export const invite = method({
  summary: 'Invites somebody by name to a waiting match in which you have a seat. The invite is open for two minutes.',
  access: 'user',
  scope: 'play',
  effect: 'write',
  limit: { points: 20, perSeconds: 60 },
  input: z.object({ matchId: MatchId, username: Username }),
  output: Invite,
  errors: [
    'NOT_FOUND',
    'FORBIDDEN',
    'MATCH_FULL',
    'MATCH_CLOSED',
    'ALREADY_SEATED',
    'INVITE_DECLINED',
    'TOO_MANY_INVITES',
  ],

  handle: ({ ctx, input }) => ctx.use(matchService).invites.invite(ctx, ctx.user, input.matchId, input.username),
})
