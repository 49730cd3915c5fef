import { z } from 'zod'
import { subscription } from '../../context.ts'
import { MatchId } from '../../wire.ts'
import { LiveFrame } from '../types.ts'

/**
 * The state of a match, `rate` times a second while it is live. Needs no game code: every frame stands alone. Before
 * the match begins it shows the state it will begin with; afterwards the last one.
 */
export const onState = subscription({
  access: 'anyone',
  delivery: 'latest',
  input: z.object({
    matchId: MatchId,
    mode: z.literal('state').default('state'),
    rate: z.number().int().min(1).max(60).default(30),
  }),
  event: LiveFrame,
  errors: ['NOT_FOUND', 'UNAVAILABLE'],

  async open({ ctx, input, fail }) {
    const opened = await ctx.live.open(ctx, input)
    if (!opened) throw fail('NOT_FOUND', 'There is no such match')
    return opened
  },
})
