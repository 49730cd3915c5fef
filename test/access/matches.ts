import type { matches as module } from '../../src/modules/matches/index.ts'
import { type AccessOf, everybody, waitingMatch } from './cases.ts'

export const matches: AccessOf<typeof module> = {
  create: { ...everybody, input: () => ({ game: 'pong', mode: 'casual' }) },
  join: { ...everybody, input: waitingMatch },
  leave: { input: waitingMatch, other: 'NOT_FOUND' },
  rematch: { input: waitingMatch, owner: 'NOT_FINISHED', other: 'NOT_FINISHED' },
  getOne: { ...everybody, input: waitingMatch },
  list: everybody,
  history: everybody,
  acceptInvite: { ...everybody },
  declineInvite: { ...everybody },
  onUpdate: { ...everybody, input: waitingMatch },
  onLobby: everybody,
  onInvite: everybody,
}
