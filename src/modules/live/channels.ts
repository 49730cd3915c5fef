import { type Channel, channel } from '../../rpc/index.ts'
import type { LiveFrame } from './types.ts'

const TYPE = 'live.onState'

/** Bytes a second of one stream of states: where they are larger they come less often. */
export const MAX_STATE_BYTES = 256 * 1024

/** The states of a match, `rate` frames a second of about `frameBytes` each. A socket follows those of one rate. */
export function stateChannel(
  matchId: string,
  rate: number,
  isDelayed: boolean,
  frameBytes: number,
): Channel<LiveFrame> {
  const bytes = Math.min(rate * frameBytes, MAX_STATE_BYTES)
  return channel(TYPE, `${matchId}/state/${rate}${isDelayed ? '/delayed' : ''}`, {
    oneOf: `${matchId}/state`,
    cost: { frames: rate, bytes },
  })
}

/** The inputs of a match, in binary frames that build on one another. */
export function inputsChannel(matchId: string, isDelayed: boolean): Channel<LiveFrame> {
  return channel(TYPE, `${matchId}/inputs${isDelayed ? '/delayed' : ''}`, { incremental: true })
}
