import type { admin as module } from '../../src/modules/admin/index.ts'
import { type AccessCase, type AccessOf, newUser, type World, waitingMatch } from './cases.ts'

/** What follows from access `admin`. */
const forAdmins: AccessCase = { owner: 'FORBIDDEN', other: 'FORBIDDEN' }

async function bannedUser(world: World): Promise<{ userId: string }> {
  const user = await newUser(world)
  await world.admin.client.call('admin.ban', { ...user, reason: 'cheated' })
  return user
}

export const admin: AccessOf<typeof module> = {
  users: forAdmins,
  user: { ...forAdmins, input: newUser },
  ban: { ...forAdmins, input: async (world) => ({ ...(await newUser(world)), reason: 'cheated' }) },
  unban: { ...forAdmins, input: bannedUser },
  endSessions: { ...forAdmins, input: newUser },
  resetAuthenticator: { ...forAdmins, input: newUser },
  setRole: { ...forAdmins, input: async (world) => ({ ...(await newUser(world)), role: 'admin' }) },
  matches: forAdmins,
  abort: { ...forAdmins, input: async (world) => ({ ...(await waitingMatch(world)), reason: 'stuck' }) },
  audit: forAdmins,
  onOverview: forAdmins,
}
