import type { users as module } from '../../src/modules/users/index.ts'
import { type AccessOf, everybody, type World } from './cases.ts'

const ownName = ({ owner }: World) => ({ username: owner.player.username })

export const users: AccessOf<typeof module> = {
  getOne: { ...everybody, input: ownName },
  stats: { ...everybody, input: ownName },
  search: { ...everybody, input: () => ({ prefix: 'pla' }) },
  online: everybody,
  updateProfile: { ...everybody, input: () => ({ bio: 'I play.' }) },
  export: everybody,
  // An admin becomes a player first.
  remove: { ...everybody, admin: 'FORBIDDEN', isAlone: true },
  onPresence: { ...everybody, input: ({ owner }) => ({ userIds: [owner.player.id] }) },
}
