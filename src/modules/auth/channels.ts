import { type Channel, channel } from '../../rpc/index.ts'
import type { SessionEnd } from './types.ts'

/** The end of one session. */
export function sessionChannel(sessionId: string): Channel<SessionEnd> {
  return channel<SessionEnd>('auth.onSession', sessionId)
}

/** Its stream has one event, with which it is over; the row says whether that has come. */
export const sessionSeq = { open: 0, ended: 1 } as const
