import { useCallback, useEffect, useState } from 'react'
import type { RallyError } from '../../../src/client/index.ts'
import type { Lobby, Match } from '../../../src/modules/matches/types.ts'
import { useRally } from '../rally.ts'

/** What a stream tells its listener; the same for every subscription of the client. */
export interface Listener<T> {
  next(value: T): void
  error(error: RallyError): void
  end(): void
}

interface Subscribed<T> {
  /** The newest value; undefined until the first one came. */
  readonly data: T | undefined
  readonly error: RallyError | null
  /** The server ended the stream. */
  readonly ended: boolean
}

const NOTHING = { data: undefined, error: null, ended: false } as const

/**
 * Follows a stream while the component is mounted. `open` starts it and returns how to stop it. It must be memoised:
 * another `open` is another stream. Null follows nothing.
 */
export function useSubscription<T>(open: ((listener: Listener<T>) => () => void) | null): Subscribed<T> {
  const [state, setState] = useState<Subscribed<T>>(NOTHING)
  const [opened, setOpened] = useState(() => open)
  // A value of the last stream must never be shown as one of the new stream.
  if (opened !== open) {
    setOpened(() => open)
    setState(NOTHING)
  }

  useEffect(() => {
    if (!open) return
    let active = true
    const update = (change: Partial<Subscribed<T>>) => {
      if (active) setState((before) => ({ ...before, ...change }))
    }
    const stop = open({
      next: (data) => update({ data, error: null }),
      error: (error) => update({ error }),
      end: () => update({ ended: true }),
    })
    return () => {
      active = false
      stop()
    }
  }, [open])

  return state
}

/** The public matches that wait or are live, as they change. */
export function useLobby() {
  const rally = useRally()
  const open = useCallback((listener: Listener<Lobby>) => rally.matches.onLobby({}, listener), [rally])
  return useSubscription(open)
}

/** One match as it changes; null follows none. */
export function useMatch(matchId: string | null) {
  const rally = useRally()
  const open = useCallback(
    (listener: Listener<Match>) => rally.matches.onUpdate({ matchId: matchId ?? '' }, listener),
    [rally, matchId],
  )
  return useSubscription(matchId === null ? null : open)
}
