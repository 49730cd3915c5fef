import { useCallback, useEffect, useRef, useState } from 'react'

export interface Action<Args extends readonly unknown[]> {
  /** Runs it unless it runs already. Errors end in `error`. */
  run(...args: Args): void
  readonly busy: boolean
  readonly error: unknown
  clear(): void
}

/** One thing that a person can set off: at most once at a time, with its error kept for showing. */
export function useAction<Args extends readonly unknown[]>(act: (...args: Args) => Promise<void>): Action<Args> {
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const latest = useRef(act)
  const running = useRef(false)
  const mounted = useRef(false)

  useEffect(() => {
    latest.current = act
  })
  useEffect(() => {
    mounted.current = true
    return () => {
      mounted.current = false
    }
  }, [])

  const run = useCallback((...args: Args) => {
    if (running.current) return
    running.current = true
    setBusy(true)
    setError(null)
    latest
      .current(...args)
      .catch((reason: unknown) => {
        if (mounted.current) setError(reason ?? new Error('failed'))
      })
      .finally(() => {
        running.current = false
        if (mounted.current) setBusy(false)
      })
  }, [])

  const clear = useCallback(() => setError(null), [])
  return { run, busy, error, clear }
}
