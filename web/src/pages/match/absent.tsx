import { useEffect, useState } from 'react'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { useTimeLeft } from '../../hooks/use-now.ts'

/** How long the server waits for a player who dropped. */
const COME_BACK_MS = 30_000

/** Says that a player of a live match is gone, and how long the others wait. */
export function Absent({ match, mine }: { match: Match; mine: readonly number[] }) {
  const gone = match.players.find((player) => !player.connected && !mine.includes(player.seat))
  if (!gone) return null
  return <AbsentPlayer key={gone.seat} name={gone.displayName} />
}

function AbsentPlayer({ name }: { name: string }) {
  const [until, setUntil] = useState<number | null>(null)
  useEffect(() => setUntil(Date.now() + COME_BACK_MS), [])
  const left = useTimeLeft(until)
  return (
    <div className="overlay-note" role="status">
      <strong>{name} lost the connection.</strong> The match goes on; {name} has{' '}
      <span className="numbers" aria-live="off">
        {Math.ceil(left / 1000)} s
      </span>{' '}
      to come back.
    </div>
  )
}
