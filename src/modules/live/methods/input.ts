import { z } from 'zod'
import { method } from '../../context.ts'
import { Empty, MatchId } from '../../wire.ts'

/**
 * What a player does from now on, or from `tick` on, until the next input or the end of the socket. Answered only when it
 * is refused. `seat` is needed by who has
 * several, as two on one keyboard.
 */
export const input = method({
  access: 'user',
  effect: 'input',
  input: z.object({
    matchId: MatchId,
    input: z.unknown(),
    seat: z.number().int().min(0).max(63).optional(),
    tick: z.number().int().min(0).optional(),
  }),
  output: Empty,
  errors: ['NOT_LIVE', 'NOT_SEATED'],

  handle({ ctx, input }) {
    ctx.live.input(ctx.user.id, ctx.call.connection, input)
    return {}
  },
})
