import { method } from '../../define.ts'
import { authService } from '../service.ts'
import { CreatedToken, NewToken } from '../types.ts'

export const createToken = method({
  summary: 'Makes a token for a program, within ten minutes of signing in. The token is shown this once.',
  access: 'user',
  effect: 'write',
  scope: 'none',
  limit: { points: 60, perSeconds: 3_600 },
  input: NewToken,
  output: CreatedToken,
  secretAnswer: true,
  errors: ['TOO_MANY_TOKENS'],
  prepare: ({ ctx }) => ctx.use(authService).requireFreshSession(ctx.call),
  handle: ({ ctx, input }) => ctx.use(authService).tokens.create(ctx, ctx.call, input),
})
