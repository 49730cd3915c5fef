import { module } from '../define.ts'
import { acceptInvite } from './methods/acceptInvite.ts'
import { create } from './methods/create.ts'
import { declineInvite } from './methods/declineInvite.ts'
import { dequeue } from './methods/dequeue.ts'
import { enqueue } from './methods/enqueue.ts'
import { getOne } from './methods/getOne.ts'
import { history } from './methods/history.ts'
import { invite } from './methods/invite.ts'
import { join } from './methods/join.ts'
import { leave } from './methods/leave.ts'
import { list } from './methods/list.ts'
import { ratings } from './methods/ratings.ts'
import { rematch } from './methods/rematch.ts'
import { matchService } from './service.ts'
import { onInvite } from './subscriptions/onInvite.ts'
import { onLobby } from './subscriptions/onLobby.ts'
import { onQueue } from './subscriptions/onQueue.ts'
import { onUpdate } from './subscriptions/onUpdate.ts'

export type { EndedMatch } from './match-hooks.ts'
export { checkOptions, offeredGame, splitOptions } from './match-options.ts'
export { newJoinCode } from './match-writes.ts'
export { ratingsIn, ratingsOf, type UserRating } from './ratings/ratings.ts'
export type { Seated, Seats } from './seating.ts'
export { matchService } from './service.ts'

export const matches = module({
  name: 'matches',
  service: matchService,
  jobs: {
    deleteOld: { everyMs: 5_000, runsOn: 'one node', run: (ctx) => ctx.use(matchService).deleteOld(ctx) },
    pair: { everyMs: 1_000, runsOn: 'one node', run: (ctx) => ctx.use(matchService).queue.tick() },
    expireInvites: { everyMs: 5_000, runsOn: 'one node', run: (ctx) => ctx.use(matchService).invites.expire(ctx) },
  },
  methods: {
    acceptInvite,
    create,
    declineInvite,
    dequeue,
    enqueue,
    getOne,
    history,
    invite,
    join,
    leave,
    list,
    ratings,
    rematch,
  },
  subscriptions: { onInvite, onLobby, onQueue, onUpdate },
})
