import { z } from 'zod'
import { authService } from '../../auth/index.ts'
import { method } from '../../define.ts'
import { leaveAll } from '../../leave-all.ts'
import { scoreService } from '../../scores/index.ts'
import { Empty } from '../../wire.ts'
import { userService } from '../service.ts'

/** See docs/decisions/account-removal.md. */
export const remove = method({
  summary: 'Deletes the account of the caller with all that belongs to it, within ten minutes of signing in.',
  access: 'user',
  effect: 'write',
  limit: { points: 5, perSeconds: 60 },
  input: z.object({}),
  output: Empty,
  errors: ['FORBIDDEN'],
  prepare: ({ ctx }) => ctx.use(authService).requireFreshSession(ctx.call),

  async handle({ ctx }) {
    const { user } = ctx
    const { removal } = ctx.use(authService)
    await removal.lock(ctx, ctx.call)
    await leaveAll(ctx.platform, ctx, user.id)
    for (const service of ctx.platform.allServices().values()) await service.forget?.(ctx, user.id)
    await ctx.use(scoreService).removeAll(ctx, user.id)
    await removal.remove(ctx, user)
    ctx.afterCommit(() => {
      ctx.use(userService).presence.announce([user.id])
      ctx.log.info('an account was removed by its user')
    })
    return {}
  },
})
