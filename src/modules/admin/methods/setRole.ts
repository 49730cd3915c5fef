import { z } from 'zod'
import { authService } from '../../auth/index.ts'
import { method } from '../../define.ts'
import { Empty, UserId } from '../../wire.ts'
import { recordAct } from '../audit-log.ts'
import { AdminUser } from '../types.ts'

/** Within ten minutes of signing in. The user's sockets close with 4001 and come back with the new role. */
export const setRole = method({
  summary: 'Makes a user an admin, or an admin a player.',
  access: 'admin',
  effect: 'write',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({ userId: UserId, role: AdminUser.shape.role }),
  output: Empty,
  errors: ['NOT_FOUND', 'FORBIDDEN'],

  prepare: ({ ctx }) => ctx.use(authService).requireFreshSession(ctx.call),
  async handle({ ctx, input: { userId, role }, fail }) {
    if (userId === ctx.user.id) throw fail('FORBIDDEN', 'You cannot change your own role')
    await recordAct(ctx, { act: 'setRole', userId, details: { role } })
    const isChanged = await ctx.use(authService).moderation.setRole(ctx, userId, role)
    if (!isChanged) throw fail('NOT_FOUND', 'There is no such user, or the role is the same')
    return {}
  },
})
