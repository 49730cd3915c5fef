import { module } from '../define.ts'
import { acceptInvite } from './methods/acceptInvite.ts'
import { create } from './methods/create.ts'
import { declineInvite } from './methods/declineInvite.ts'
import { getOne } from './methods/getOne.ts'
import { history } from './methods/history.ts'
import { join } from './methods/join.ts'
import { leave } from './methods/leave.ts'
import { list } from './methods/list.ts'
import { ratings } from './methods/ratings.ts'
import { rematch } from './methods/rematch.ts'
import { matchService } from './service.ts'
import { onInvite } from './subscriptions/onInvite.ts'
import { onLobby } from './subscriptions/onLobby.ts'
import { onUpdate } from './subscriptions/onUpdate.ts'

export type { EndedMatch } from './match-hooks.ts'
export { checkOptions, offeredGame, splitOptions } from './match-options.ts'
export { newJoinCode } from './match-writes.ts'
export { ratingsIn, ratingsOf, type UserRating } from './ratings/ratings.ts'
export { lockUsers } from './seat-players.ts'
export type { Seated } from './seating.ts'
export { matchService, type Seats } from './service.ts'

export const matches = module({
  name: 'matches',
  service: matchService,
  jobs: {
    deleteOld: { everyMs: 5_000, runsOn: 'one node', run: (ctx) => ctx.use(matchService).deleteOld(ctx) },
    expireInvites: { everyMs: 5_000, runsOn: 'one node', run: (ctx) => ctx.use(matchService).invites.expire(ctx) },
  },
  methods: { acceptInvite, create, declineInvite, getOne, history, join, leave, list, ratings, rematch },
  subscriptions: { onInvite, onLobby, onUpdate },
})
