import { z } from 'zod'
import type { Bus, BusSubscription } from '../../bus/bus.ts'
import { type Channel, channel } from '../../rpc/index.ts'
import { MatchId, UserId } from '../wire.ts'
import type { Lobby, Match } from './types.ts'

/** One match as it changes. */
export const matchChannel = (matchId: string): Channel<Match> => channel('matches.onUpdate', matchId)

/** The same for spectators of a match that they see later than its players. */
export const delayedMatchChannel = (matchId: string): Channel<Match> =>
  channel('matches.onUpdate', `${matchId}/delayed`)

/** The public matches of one game, or of all. */
export const lobbyChannel = (game?: string): Channel<Lobby> => channel('matches.onLobby', game)

const LEAVE_TOPIC = 'matches.leave'
const Leave = z.object({ matchId: MatchId, userId: UserId })

/** A player left a live match. For whichever process runs it. */
export interface Leave {
  readonly matchId: string
  readonly userId: string
}

export function publishLeave(bus: Bus, leave: Leave): void {
  bus.publish(LEAVE_TOPIC, { seq: 0, payload: JSON.stringify(leave) })
}

export function subscribeLeaves(bus: Bus, listener: (leave: Leave) => void): BusSubscription {
  return bus.subscribe(LEAVE_TOPIC, ({ payload }) => listener(Leave.parse(JSON.parse(payload.toString()))))
}
