import { useEffect, useReducer } from 'react'
import type { RallyError } from '../../../src/client/index.ts'
import type { ChatMessage, Room, RoomEvent, RoomSnapshot } from '../../../src/modules/rooms/types.ts'
import { useRally } from '../rally.ts'

/** Messages that the page keeps; older ones are dropped. */
const MAX_MESSAGES = 500

export interface RoomLog {
  /** Undefined until the stream is open. */
  readonly room: Room | undefined
  /** Oldest first. */
  readonly chat: readonly ChatMessage[]
  /** Who claimed a key first, by key. */
  readonly claims: ReadonlyMap<string, string | null>
  readonly error: RallyError | null
  /** Why the server ended the stream: `left` for who is not in the room any more. */
  readonly ended: string | null
}

const NOTHING: RoomLog = { room: undefined, chat: [], claims: new Map(), error: null, ended: null }

type Change =
  | { readonly kind: 'snapshot'; readonly snapshot: RoomSnapshot }
  | { readonly kind: 'event'; readonly event: RoomEvent }
  | { readonly kind: 'error'; readonly error: RallyError }
  | { readonly kind: 'end'; readonly reason: string }
  | { readonly kind: 'reset' }

function change(log: RoomLog, what: Change): RoomLog {
  switch (what.kind) {
    case 'snapshot': {
      const { room, chat, claims } = what.snapshot
      return { ...NOTHING, room, chat, claims: new Map(claims.map(({ key, userId }) => [key, userId])) }
    }
    case 'event':
      return afterEvent(log, what.event)
    case 'error':
      return { ...log, error: what.error }
    case 'end':
      return { ...log, ended: what.reason }
    case 'reset':
      return NOTHING
  }
}

function afterEvent(log: RoomLog, event: RoomEvent): RoomLog {
  switch (event.kind) {
    case 'room':
      return { ...log, room: event.room }
    case 'chat': {
      const { kind: _, ...message } = event
      return { ...log, chat: [...log.chat, message].slice(-MAX_MESSAGES) }
    }
    case 'claim':
      return { ...log, claims: new Map(log.claims).set(event.key, event.userId) }
  }
}

/** A room as it changes, with what is written and claimed there, for a member. Several components share one stream. */
export function useRoomLog(roomId: string | null): RoomLog {
  const rally = useRally()
  const [log, dispatch] = useReducer(change, NOTHING)
  useEffect(() => {
    if (roomId === null) return
    const stop = rally.rooms.onRoom(
      { roomId },
      {
        snapshot: (snapshot) => dispatch({ kind: 'snapshot', snapshot }),
        next: (event) => dispatch({ kind: 'event', event }),
        error: (error) => dispatch({ kind: 'error', error }),
        end: (reason) => dispatch({ kind: 'end', reason }),
      },
    )
    return () => {
      stop()
      dispatch({ kind: 'reset' })
    }
  }, [rally, roomId])
  return log
}
