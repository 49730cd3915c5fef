import { z } from 'zod'
import { subscription } from '../../define.ts'
import { Following } from '../openings.ts'
import { liveService } from '../service.ts'
import { LiveFrame, LiveInputsSnapshot, StateRate } from '../types.ts'

/**
 * Mode `state` sends its state `rate` times a second: every frame stands alone, and a client needs no game code. A socket has
 * one such stream a match: opening it with another rate replaces the one before. Mode `inputs` sends what a client needs to
 * run the game itself: a snapshot, then binary frames with every change of an input. Before the match both have the state
 * that it will begin with, afterwards the last one.
 */
export const onState = subscription({
  summary: 'Follows a match while it is played, as states or as inputs.',
  access: 'anyone',
  delivery: 'latest',
  limit: { points: 600, perSeconds: 60 },
  input: Following.extend({ mode: Following.shape.mode.default('state'), rate: StateRate.default(30) }),
  event: LiveFrame,
  snapshot: z.union([LiveInputsSnapshot, LiveFrame]),
  errors: ['NOT_FOUND', 'UNAVAILABLE'],

  async open({ ctx, input, fail }) {
    const opened = await ctx.use(liveService).open(input, ctx.user?.id ?? null)
    if (!opened) throw fail('NOT_FOUND', 'There is no such match')
    return opened
  },
})
