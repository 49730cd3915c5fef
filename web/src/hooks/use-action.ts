import { useCallback, useEffect, useRef, useState } from 'react'
import type { CallOptions } from '../../../src/client/index.ts'

export interface Action<Args extends readonly unknown[]> {
  /** Runs the action unless it is running. What it throws is in `error`. */
  run(...args: Args): void
  readonly busy: boolean
  readonly error: unknown
  clear(): void
}

/** The options for calls that a person's action makes. */
export interface OwnCall extends CallOptions {
  /** Aborted when the component is gone: a call that is not sent yet is then never sent. */
  readonly signal: AbortSignal
  readonly offlineMs: number
}

/** A call that has been without a connection for this long fails: its user is doing something else by then. */
const OFFLINE_MS = 1000

/**
 * An action of a person: it runs once at a time, and its error is kept. `act` passes `call` on to the methods it calls.
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
