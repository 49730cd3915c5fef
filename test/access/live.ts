import type { live as module } from '../../src/modules/live/index.ts'
import { type AccessOf, everybody, finishedMatch, liveMatch } from './cases.ts'

export const live: AccessOf<typeof module> = {
  input: { input: async (world) => ({ ...(await liveMatch(world)), input: { move: 1 } }), other: 'NOT_SEATED' },
  getReplay: { ...everybody, input: finishedMatch },
  onState: { ...everybody, input: liveMatch },
}
