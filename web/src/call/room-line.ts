import type { DirectFrame, RelayFrame } from '../../../src/modules/rooms/types.ts'
import type { Rally } from '../rally.ts'
import type { CallLine } from './call.ts'

/** How long a refusal of a signal is waited for. */
const REFUSAL_MS = 100
/** The wait after a refusal that names none. */
const RETRY_MS = 1_000

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
    signal: (to, payload) => {
      return new Promise((resolve) => {
        const eid = crypto.randomUUID()
        const end = (retryMs: number | null) => {
          clearTimeout(timer)
          stop()
          resolve(retryMs)
        }
        // Only a refusal has an answer.
        const timer = setTimeout(() => end(null), REFUSAL_MS)
        const stop = rally.on('error', (error) => {
          if (error.eid === eid) end(error.code === 'RATE_LIMITED' ? (error.retryAfterMs ?? RETRY_MS) : null)
        })
        rally.rooms.signal({ roomId, to, payload }, { ...now, eid }).catch(() => end(null))
      })
    },
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
