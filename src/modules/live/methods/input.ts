import { eidOfInput } from '../../../protocol/live-frames.ts'
import { method } from '../../define.ts'
import { Empty } from '../../wire.ts'
import { liveService } from '../service.ts'
import { LiveInput } from '../types.ts'

/** Answered only when it is refused. Only a player with several seats has to give `seat`, such as in mode `local`. */
export const input = method({
  summary: 'Says what a player does from now on, or from `tick` on, until the next input or the end of the socket.',
  access: 'user',
  scope: 'play',
  effect: 'input',
  input: LiveInput,
  output: Empty,
  errors: ['NOT_LIVE', 'NOT_SEATED'],

  binary: {
    eidOf: eidOfInput,
    receive({ ctx, bytes }) {
      const { connection } = ctx.call
      return connection ? ctx.use(liveService).inputFrame(ctx.user.id, connection, bytes) : false
    },
  },

  handle({ ctx, input }) {
    const forwarded = ctx.use(liveService).input(ctx.user.id, ctx.call.connection, input)
    return forwarded ? forwarded.then(() => ({})) : {}
  },
})
