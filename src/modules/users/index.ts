import { module } from '../define.ts'
import { serveAvatar } from './avatars/serve-avatar.ts'
import { forgetOld } from './cleanup.ts'
import { exportAll } from './methods/export.ts'
import { getOne } from './methods/getOne.ts'
import { online } from './methods/online.ts'
import { remove } from './methods/remove.ts'
import { search } from './methods/search.ts'
import { stats } from './methods/stats.ts'
import { updateProfile } from './methods/updateProfile.ts'
import { userService } from './service.ts'
import { onPresence } from './subscriptions/onPresence.ts'

/** Profiles with pictures, and who is online. */
export const users = module({
  name: 'users',
  service: userService,
  methods: { getOne, updateProfile, search, stats, online, export: exportAll, remove },
  subscriptions: { onPresence },
  routes: [serveAvatar],
  jobs: {
    refreshPresence: { everyMs: 1_000, runsOn: 'every node', run: ({ use }) => use(userService).presence.refresh() },
    forgetOld: { everyMs: 30_000, runsOn: 'one node', run: ({ sql }) => forgetOld(sql) },
  },
})
