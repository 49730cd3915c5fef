import type { users as module } from '../../src/modules/users/index.ts'
import { type AccessOf, everybody } from './cases.ts'

export const users: AccessOf<typeof module> = {
  getOne: { ...everybody, input: ({ owner }) => ({ username: owner.player.username }) },
}
