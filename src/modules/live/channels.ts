import { type Channel, channel } from '../../rpc/index.ts'
import type { LiveFrame } from './types.ts'

const TYPE = 'live.onState'

/** The states of a match, `rate` frames a second. */
export function stateChannel(matchId: string, rate: number, isDelayed: boolean): Channel<LiveFrame> {
  return channel(TYPE, `${matchId}/state/${rate}${isDelayed ? '/delayed' : ''}`)
}

/** The inputs of a match, in binary frames that build on one another. */
export function inputsChannel(matchId: string, isDelayed: boolean): Channel<LiveFrame> {
  return channel(TYPE, `${matchId}/inputs${isDelayed ? '/delayed' : ''}`, { incremental: true })
}
