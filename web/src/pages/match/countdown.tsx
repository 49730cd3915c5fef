import { useCallback } from 'react'
import { useTimeLeft } from '../../hooks/use-now.ts'
import { useRally } from '../../rally.ts'

interface CountdownProps {
  /** By the server's clock. */
  readonly startsAt: number | null
  readonly mine: readonly number[]
  readonly local: boolean
}

/** The seconds before the start, and which side is whose. */
export function Countdown({ startsAt, mine, local }: CountdownProps) {
  const rally = useRally()
  const clock = useCallback(() => rally.clock.now(), [rally])
  const left = useTimeLeft(startsAt, clock)
  const seconds = Math.ceil(left / 1000)
  return (
    <div className="overlay overlay-clear">
      <span key={seconds} className="countdown numbers" data-testid="countdown" role="timer">
        {seconds > 0 ? seconds : 'Go'}
      </span>
      <span className="overlay-words">{sideWords(mine, local)}</span>
    </div>
  )
}

function sideWords(mine: readonly number[], local: boolean): string {
  if (local && mine.length > 1) return 'Orange and blue, get ready'
  const [seat] = mine
  if (seat === undefined) return 'Get ready to watch'
  return seat === 0 ? 'You are orange, on the left' : 'You are blue, on the right'
}
