import { module } from '../define.ts'
import { create } from './methods/create.ts'
import { getOne } from './methods/getOne.ts'
import { history } from './methods/history.ts'
import { join } from './methods/join.ts'
import { leave } from './methods/leave.ts'
import { list } from './methods/list.ts'
import { rematch } from './methods/rematch.ts'
import { matchService } from './service.ts'
import { onLobby } from './subscriptions/onLobby.ts'
import { onUpdate } from './subscriptions/onUpdate.ts'

export { splitOptions } from './match-options.ts'
export { matchService } from './service.ts'

export const matches = module({
  name: 'matches',
  service: matchService,
  jobs: {
    deleteOld: { everyMs: 5_000, runsOn: 'one node', run: (ctx) => ctx.use(matchService).deleteOld(ctx) },
  },
  methods: { create, getOne, history, join, leave, list, rematch },
  subscriptions: { onLobby, onUpdate },
})
