import type { DirectFrame, RelayFrame } from '../../../src/modules/rooms/types.ts'
import type { Rally } from '../rally.ts'
import type { CallLine } from './call.ts'

/** The line of a call over its room. */
export function roomLine(rally: Rally, roomId: string, userId: string): CallLine {
  /** For what is of no use later. */
  const now = { fireAndForget: true } as const
  return {
    userId,
    async iceServers() {
      const { iceServers } = await rally.rooms.iceServers({ roomId })
      return iceServers.map(({ urls, username, credential }) => ({
        urls,
        ...(username === undefined ? {} : { username }),
        ...(credential === undefined ? {} : { credential }),
      }))
    },
    signal: (to, payload) => void rally.rooms.signal({ roomId, to, payload }, now).catch(() => undefined),
    sending: (payload) => void rally.rooms.relay({ roomId, kind: 'state', payload }, now).catch(() => undefined),
    onSignal(next, opened) {
      const take = ({ messages }: DirectFrame) => {
        for (const { kind, from, payload } of messages) if (kind === 'signal') next(from, payload)
      }
      return rally.rooms.onDirect({ roomId }, { snapshot: () => opened(), next: take })
    },
    onSending(next) {
      const take = ({ states }: RelayFrame) => {
        for (const { kind, from, payload } of states) if (kind === 'state') next(from, payload)
      }
      return rally.rooms.onRelay({ roomId }, { next: take })
    },
  }
}
