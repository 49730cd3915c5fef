import { z } from 'zod'
import { authService } from '../../auth/index.ts'
import { method } from '../../define.ts'
import { UserId } from '../../wire.ts'
import { recordAct } from '../audit-log.ts'

/**
 * For a user who has lost everything that signs in. Authenticator, passkeys and recovery codes stop working, and all sessions
 * end. With the recovery code the user signs in once, and sets up a new authenticator. The user is told of the reset. It is
 * to be done within ten minutes of signing in, as for one's own authenticator.
 */
export const resetAuthenticator = method({
  summary: 'Resets how a user signs in, and answers one recovery code to hand over.',
  access: 'admin',
  effect: 'write',
  limit: { points: 10, perSeconds: 60 },
  input: z.object({ userId: UserId }),
  output: z.object({ recoveryCode: z.string() }),
  secretAnswer: true,
  errors: ['NOT_FOUND', 'FORBIDDEN'],

  prepare: ({ ctx }) => ctx.use(authService).requireFreshSession(ctx.call),
  async handle({ ctx, input: { userId }, fail }) {
    // Whoever finds an admin's open page could keep the account.
    if (userId === ctx.user.id) throw fail('FORBIDDEN', 'Use your account page: this is for other users')
    await recordAct(ctx, { act: 'resetAuthenticator', userId })
    const recoveryCode = await ctx.use(authService).moderation.resetAuthenticator(ctx, userId)
    if (recoveryCode === null) throw fail('NOT_FOUND', 'There is no such user')
    return { recoveryCode }
  },
})
