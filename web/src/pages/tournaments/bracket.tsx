import { useEffect, useRef } from 'react'
import type { Tournament } from '../../../../src/modules/tournaments/types.ts'
import { entrantsBySeed, PairingCard } from './pairing-card.tsx'

interface BracketProps {
  readonly tournament: Tournament
  readonly ownSeed: number | null
}

/** The bracket: a column for each round, which scrolls sideways where it does not fit. */
export function Bracket({ tournament, ownSeed }: BracketProps) {
  const { pairings } = tournament
  const entrants = entrantsBySeed(tournament)
  const count = Math.max(...pairings.map(({ round }) => round))
  const rounds = Array.from({ length: count }, (_, index) => pairings.filter(({ round }) => round === index + 1))
  const frame = useRef<HTMLElement>(null)
  const current = pairings.find(({ status }) => status !== 'decided')?.round ?? count
  useEffect(() => {
    // The round that is played is in sight; the page itself stays where it is.
    const column = frame.current?.querySelector<HTMLElement>(`[data-round="${current}"]`)
    if (frame.current && column) frame.current.scrollLeft = column.offsetLeft - frame.current.offsetLeft
  }, [current])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard
    <section className="bracket" aria-label="Bracket" ref={frame} tabIndex={0} data-testid="bracket">
      {rounds.map((round, index) => (
        <div key={round[0]?.round} className="bracket-round" data-round={index + 1}>
          <h3 className="bracket-head">{roundName(index + 1, count)}</h3>
          <ol className="bracket-pairings">
            {round.map((pairing) => (
              <li key={pairing.slot} className="bracket-slot">
                <PairingCard pairing={pairing} entrants={entrants} ownSeed={ownSeed} />
              </li>
            ))}
          </ol>
        </div>
      ))}
    </section>
  )
}

function roundName(round: number, count: number): string {
  if (round === count) return 'Final'
  if (round === count - 1) return 'Semifinals'
  return round === count - 2 ? 'Quarterfinals' : `Round ${round}`
}
