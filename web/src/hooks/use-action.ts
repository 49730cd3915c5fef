import { useCallback, useEffect, useRef, useState } from 'react'
import type { CallOptions } from '../../../src/client/index.ts'

export interface Action<Args extends readonly unknown[]> {
  /** Runs it unless it runs already. Errors end in `error`. */
  run(...args: Args): void
  readonly busy: boolean
  readonly error: unknown
  clear(): void
}

/** How a call is made that somebody set off. */
export interface OwnCall extends CallOptions {
  /** Aborted once what it was set off from is no longer there: what was not sent yet is not sent then. */
  readonly signal: AbortSignal
  readonly offlineMs: number
}

/** A click is not done later than this many ms of being offline: by then somebody does something else. */
const OFFLINE_MS = 1000

/**
 * One thing that a person can set off: at most once at a time, with its error kept for showing. `act` hands `call` on to
 * what it calls.
 */
export function useAction<Args extends readonly unknown[]>(
  act: (call: OwnCall, ...args: Args) => Promise<void>,
): Action<Args> {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const latest = useRef(act)
  const running = useRef<AbortController | null>(null)

  useEffect(() => {
    latest.current = act
  })
  useEffect(
    () => () => {
      running.current?.abort()
      running.current = null
    },
    [],
  )

  const run = useCallback((...args: Args) => {
    if (running.current) return
    const own = new AbortController()
    running.current = own
    const isHere = () => running.current === own
    setBusy(true)
    setError(null)
    latest
      .current({ signal: own.signal, offlineMs: OFFLINE_MS }, ...args)
      .catch((reason: unknown) => {
        if (isHere()) setError(reason ?? new Error('failed'))
      })
      .finally(() => {
        if (!isHere()) return
        running.current = null
        setBusy(false)
      })
  }, [])

  const clear = useCallback(() => setError(null), [])
  return { run, busy, error, clear }
}
