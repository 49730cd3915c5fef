import { module } from '../define.ts'
import { chat } from './methods/chat.ts'
import { claim } from './methods/claim.ts'
import { create } from './methods/create.ts'
import { history } from './methods/history.ts'
import { iceServers } from './methods/iceServers.ts'
import { join } from './methods/join.ts'
import { leave } from './methods/leave.ts'
import { list } from './methods/list.ts'
import { relay } from './methods/relay.ts'
import { signal } from './methods/signal.ts'
import { roomService } from './service.ts'
import { onDirect } from './subscriptions/onDirect.ts'
import { onRelay } from './subscriptions/onRelay.ts'
import { onRoom } from './subscriptions/onRoom.ts'
import { deleteOld, sweep } from './sweep.ts'

export { roomService } from './service.ts'

/** Rooms: chat, states and actions of players who play together, signals of calls, and the chats of matches. */
export const rooms = module({
  name: 'rooms',
  service: roomService,
  methods: { chat, claim, create, history, iceServers, join, leave, list, relay, signal },
  subscriptions: { onRoom, onRelay, onDirect },
  jobs: {
    sweep: { everyMs: 2_000, runsOn: 'one node', run: sweep },
    deleteOld: { everyMs: 60_000, runsOn: 'one node', run: deleteOld },
    compare: { everyMs: 5_000, runsOn: 'every node', run: ({ use }) => use(roomService).compare() },
  },
})
