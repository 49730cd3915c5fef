import type { live as module } from '../../src/modules/live/index.ts'
import { type AccessOf, everybody, waitingMatch } from './cases.ts'

export const live: AccessOf<typeof module> = {
  input: {
    input: async (world) => ({ ...(await waitingMatch(world)), input: { move: 1 } }),
    owner: 'NOT_LIVE',
    other: 'NOT_LIVE',
  },
  getReplay: { input: waitingMatch, owner: 'NOT_FINISHED', other: 'NOT_FINISHED' },
  onState: { ...everybody, input: waitingMatch },
}
