import { module } from '../define.ts'
import { abort } from './methods/abort.ts'
import { audit } from './methods/audit.ts'
import { ban } from './methods/ban.ts'
import { endSessions } from './methods/endSessions.ts'
import { matches } from './methods/matches.ts'
import { resetAuthenticator } from './methods/resetAuthenticator.ts'
import { setRole } from './methods/setRole.ts'
import { unban } from './methods/unban.ts'
import { user } from './methods/user.ts'
import { users } from './methods/users.ts'
import { OVERVIEW_EVERY_MS } from './overview.ts'
import { adminService } from './service.ts'
import { onOverview } from './subscriptions/onOverview.ts'

/** What admins see and do. Every definition has `access: 'admin'`, and every act its row in the audit log. */
export const admin = module({
  name: 'admin',
  service: adminService,
  methods: { users, user, ban, unban, endSessions, resetAuthenticator, setRole, matches, abort, audit },
  subscriptions: { onOverview },
  jobs: {
    overview: {
      everyMs: OVERVIEW_EVERY_MS,
      runsOn: 'every node',
      run: ({ use }) => use(adminService).overview.publish(),
    },
  },
})
