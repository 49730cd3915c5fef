import type { admin as module } from '../../src/modules/admin/index.ts'
import { type AccessCase, type AccessOf, newUser, waitingMatch } from './cases.ts'

/** What follows from access `admin`. */
const forAdmins: AccessCase = { owner: 'FORBIDDEN', other: 'FORBIDDEN' }

export const admin: AccessOf<typeof module> = {
  users: forAdmins,
  user: { ...forAdmins, input: newUser },
  ban: { ...forAdmins, input: async (world) => ({ ...(await newUser(world)), reason: 'cheated' }) },
  unban: { ...forAdmins, input: newUser },
  endSessions: { ...forAdmins, input: newUser },
  resetAuthenticator: { ...forAdmins, input: newUser },
  setRole: { ...forAdmins, input: async (world) => ({ ...(await newUser(world)), role: 'admin' }) },
  matches: forAdmins,
  abort: { ...forAdmins, input: async (world) => ({ ...(await waitingMatch(world)), reason: 'stuck' }) },
  audit: forAdmins,
  onOverview: forAdmins,
}
