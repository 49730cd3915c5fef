import { z } from 'zod'
import { method } from '../../define.ts'
import { matchService } from '../../matches/index.ts'
import { MatchId } from '../../wire.ts'
import { readReplay } from '../read-replay.ts'
import { Replay } from '../types.ts'

/** For all changes of a long one, ask with `next` as `from` until it is null. */
export const getReplay = method({
  summary: 'Gives a finished match, to be played again.',
  access: 'anyone',
  effect: 'read',
  limit: { points: 60, perSeconds: 60 },
  input: z.object({
    matchId: MatchId,
    /** How many changes to leave out at the beginning. */
    from: z.number().int().min(0).default(0),
  }),
  output: Replay,
  errors: ['NOT_FOUND', 'NOT_FINISHED'],

  async handle({ ctx, input, fail }) {
    const userId = ctx.user?.id ?? null
    const match = await ctx.use(matchService).find({ matchId: input.matchId }, userId)
    if (!match) throw fail('NOT_FOUND', 'There is no such match')
    const replay = await readReplay(ctx, match, input.from, userId)
    if (!replay) throw fail('NOT_FINISHED', 'This match was not played to its end, or its replay is not kept any more')
    return replay
  },
})
