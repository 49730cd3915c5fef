import { z } from 'zod'
import { method } from '../../define.ts'
import { authService } from '../service.ts'
import { Rotated, TotpCode } from '../types.ts'

/** `{}` answers a new secret; `{ code }` with a code of it puts it in force, answers new recovery codes and ends all other sessions. */
export const rotateTotp = method({
  summary: 'Replaces the authenticator in two steps on one socket, within ten minutes of signing in.',
  access: 'user',
  effect: 'write',
  limit: { points: 10, perSeconds: 60 },
  input: z.object({ code: TotpCode.optional() }),
  output: Rotated,
  secretAnswer: true,
  errors: ['FORBIDDEN', 'NO_CHALLENGE', 'INVALID_CODE'],
  prepare: async ({ ctx, input }) => input.code ?? ctx.use(authService).rotation.prepare(ctx.call),
  handle({ ctx, prepared }) {
    const { rotation } = ctx.use(authService)
    return typeof prepared === 'string' ? rotation.commit(ctx, ctx.call, prepared) : rotation.begin(ctx.call, prepared)
  },
})
