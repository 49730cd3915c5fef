import { z } from 'zod'
import { MatchStatus } from '../matches/types.ts'

/** One frame of a match in mode `state`. `state` is the game's own, as of `tick`. */
export const LiveFrame = z.object({
  tick: z.number().int(),
  state: z.unknown(),
  status: MatchStatus,
})
export type LiveFrame = z.infer<typeof LiveFrame>

export type LiveCode = 'NOT_LIVE' | 'NOT_SEATED'
