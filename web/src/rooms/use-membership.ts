import { useCallback, useEffect, useRef, useState } from 'react'
import { type OwnCall, useAction } from '../hooks/use-action.ts'
import { useRally } from '../rally.ts'

/** Between leaving a page and leaving its room: who comes back at once stays. */
const LEAVE_MS = 200

/**
 * Joins a room while the component is mounted, and leaves it afterwards. A page that is loaded again keeps its place: the
 * server waits 30 s for it. `key` has to be memoised; null joins nothing.
 */
export function useMembership(key: { readonly roomId: string } | { readonly matchId: string } | null) {
  const rally = useRally()
  const [roomId, setRoomId] = useState<string | null>(null)
  const leaving = useRef<{ readonly roomId: string; readonly timer: ReturnType<typeof setTimeout> } | null>(null)
  const join = useCallback(
    async ({ signal }: OwnCall) => {
      if (!key) return
      const room = await rally.rooms.join(key, { signal })
      if (!signal.aborted) setRoomId(room.id)
    },
    [rally, key],
  )
  const { run, error, busy } = useAction(join)
  useEffect(() => run(), [run])
  useEffect(() => {
    if (roomId === null) return
    if (leaving.current?.roomId === roomId) clearTimeout(leaving.current.timer)
    return () => {
      const leave = () => {
        // Who has left already needs no answer.
        rally.rooms.leave({ roomId }).catch(() => undefined)
      }
      leaving.current = { roomId, timer: setTimeout(leave, LEAVE_MS) }
    }
  }, [rally, roomId])
  const rejoin = useCallback(() => {
    setRoomId(null)
    run()
  }, [run])
  return { roomId, error, busy, rejoin }
}
