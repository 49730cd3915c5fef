import type { Tournament } from '../../../../src/modules/tournaments/types.ts'
import { entrantsBySeed, PairingCard } from './pairing-card.tsx'

/** The rounds of a round robin, each with its pairings. */
export function Rounds({ tournament, ownSeed }: { tournament: Tournament; ownSeed: number | null }) {
  const { pairings } = tournament
  const entrants = entrantsBySeed(tournament)
  const rounds = [...new Set(pairings.map(({ round }) => round))]
  return (
    <section className="stack" aria-label="Rounds" data-testid="rounds">
      {rounds.map((round) => (
        <div key={round}>
          <h3 className="bracket-head">Round {round}</h3>
          <div className="rounds-pairings">
            {pairings
              .filter((pairing) => pairing.round === round)
              .map((pairing) => (
                <PairingCard key={pairing.slot} pairing={pairing} entrants={entrants} ownSeed={ownSeed} />
              ))}
          </div>
        </div>
      ))}
    </section>
  )
}
