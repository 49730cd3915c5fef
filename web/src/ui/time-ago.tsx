import { ago, exactTime } from '../format.ts'
import { useNow } from '../hooks/use-now.ts'

/** `3 minutes ago`, kept up to date. `at` in ms since the epoch. */
export function TimeAgo({ at }: { at: number }) {
  const now = useNow(30_000)
  return (
    <time dateTime={new Date(at).toISOString()} title={exactTime(at)}>
      {ago(at, now)}
    </time>
  )
}
