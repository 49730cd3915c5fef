import { useEffect, useState } from 'react'

/** The time in ms since the epoch, updated every `everyMs` while `active`. */
export function useNow(everyMs: number, active = true): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!active) return
    setNow(Date.now())
    const timer = setInterval(() => setNow(Date.now()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs, active])
  return now
}

/** The ms left until `until`, a time of `clock` in ms since the epoch; 0 for null. */
export function useTimeLeft(until: number | null, clock: () => number = Date.now): number {
  const [finished, setFinished] = useState<number | null>(null)
  useNow(100, until !== null && finished !== until)
  const left = until === null ? 0 : Math.max(0, until - clock())
  if (left === 0 && finished !== until) setFinished(until)
  return left
}
