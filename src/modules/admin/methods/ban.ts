import { z } from 'zod'
import { authService } from '../../auth/index.ts'
import { method } from '../../define.ts'
import { leaveAll } from '../../leave-all.ts'
import { Empty, Timestamp, UserId } from '../../wire.ts'
import { recordAct } from '../audit-log.ts'
import { Reason } from '../types.ts'

/** The end of the year 9999: Postgres and clients print later times in ways of their own. */
const LATEST = 253_402_300_799_999

/** All sessions end, their sockets close with 4503, and the user leaves every match and room. A second ban replaces the first. */
export const ban = method({
  summary: 'Keeps a user out, for good or until a time.',
  access: 'admin',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({
    userId: UserId,
    reason: Reason,
    until: Timestamp.max(LATEST)
      .refine((until) => until > Date.now(), 'has to be in the future')
      .optional(),
  }),
  output: Empty,
  errors: ['NOT_FOUND', 'FORBIDDEN'],

  async handle({ ctx, input: { userId, reason, until = null }, fail }) {
    if (userId === ctx.user.id) throw fail('FORBIDDEN', 'You cannot ban yourself')
    await recordAct(ctx, { act: 'ban', userId, details: { reason, until } })
    const user = await ctx.use(authService).moderation.ban(ctx, userId, { reason, until })
    if (!user) throw fail('NOT_FOUND', 'There is no such user')
    await leaveAll(ctx.platform, ctx, userId)
    return {}
  },
})
