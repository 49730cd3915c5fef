import { z } from 'zod'
import { decodeInput, eidOfInput } from '../../../protocol/live-frames.ts'
import { method } from '../../define.ts'
import { Empty, MatchId } from '../../wire.ts'
import { liveService } from '../service.ts'

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

  binary: {
    eidOf: eidOfInput,
    receive({ ctx, bytes }) {
      const frame = decodeInput(bytes)
      if (frame) ctx.use(liveService).inputFrame(ctx.user.id, ctx.call.connection, frame)
      return frame !== null
    },
  },

  handle({ ctx, input }) {
    ctx.use(liveService).input(ctx.user.id, ctx.call.connection, input)
    return {}
  },
})
