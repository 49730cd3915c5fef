import { module } from '../define.ts'
import { cancel } from './methods/cancel.ts'
import { create } from './methods/create.ts'
import { getOne } from './methods/getOne.ts'
import { join } from './methods/join.ts'
import { leave } from './methods/leave.ts'
import { list } from './methods/list.ts'
import { start } from './methods/start.ts'
import { tournamentService } from './service.ts'
import { onUpdate } from './subscriptions/onUpdate.ts'

/** Tournaments of games for two: their players register, and the matches are made and counted by the server. */
export const tournaments = module({
  name: 'tournaments',
  service: tournamentService,
  methods: { cancel, create, getOne, join, leave, list, start },
  subscriptions: { onUpdate },
  jobs: {
    doDueWork: { everyMs: 1_000, runsOn: 'one node', run: (ctx) => ctx.use(tournamentService).doDueWork(ctx) },
    deleteOld: { everyMs: 60_000, runsOn: 'one node', run: (ctx) => ctx.use(tournamentService).deleteOld(ctx) },
  },
})
