import { useCallback, useEffect } from 'react'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { useTimeLeft } from '../../hooks/use-now.ts'
import { seatName } from '../../player-names.ts'
import { useRally } from '../../rally.ts'
import { useSound } from '../../sound/sound.ts'

interface CountdownProps {
  readonly match: Match
  readonly mine: readonly number[]
}

/** The seconds before the start, and the viewer's side. */
export function Countdown({ match, mine }: CountdownProps) {
  const rally = useRally()
  const clock = useCallback(() => rally.clock.now(), [rally])
  const left = useTimeLeft(match.startsAt, clock)
  const seconds = Math.ceil(left / 1000)
  const sound = useSound()
  useEffect(() => sound.play(seconds > 0 ? 'countdown' : 'start'), [sound, seconds])
  return (
    <div className="overlay overlay-clear">
      <span key={seconds} className="countdown numbers" data-testid="countdown" role="timer">
        {seconds > 0 ? seconds : 'Go'}
      </span>
      <span className="overlay-words">{sideWords(match, mine)}</span>
    </div>
  )
}

function sideWords(match: Match, mine: readonly number[]): string {
  if (mine.length > 1) return `${seatName(match, 0)} and ${seatName(match, 1).toLowerCase()}, get ready`
  const [seat] = mine
  if (seat === undefined) return 'Get ready to watch'
  const color = seat === 0 ? 'orange' : 'blue'
  const name = seatName(match, seat).toLowerCase()
  return name === color ? `You are ${color}` : `You are ${color}, on the ${name}`
}

/** Says that a player of a live match is away, and how long the match waits for them. */
export function Absence({ match, mine }: { match: Match; mine: readonly number[] }) {
  const rally = useRally()
  const clock = useCallback(() => rally.clock.now(), [rally])
  const away = match.players.find((player) => !player.connected && !mine.includes(player.seat))
  const left = useTimeLeft(away ? (match.returnBy ?? null) : null, clock)
  if (!away || match.returnBy === undefined) return null
  return (
    <div className="overlay-note" role="status">
      <strong>{away.displayName} lost the connection.</strong> The match goes on; {away.displayName} has{' '}
      <span className="numbers" aria-live="off">
        {Math.ceil(left / 1000)} s
      </span>{' '}
      to come back.
    </div>
  )
}
