import type { Entrant, Tournament } from '../../../../src/modules/tournaments/types.ts'
import { UserLink } from '../../ui/user-link.tsx'
import { entrantsBySeed } from './pairing-card.tsx'

/** Who takes part, before the start. */
export function Entrants({ tournament: { entrants } }: { tournament: Tournament }) {
  if (entrants.length === 0) return null
  return (
    <section aria-labelledby="entrants">
      <h2 id="entrants" className="list-head">
        Players
      </h2>
      <ol className="entrants" data-testid="entrants">
        {entrants.map((entrant) => (
          <li key={entrant.userId ?? entrant.displayName}>
            <EntrantName entrant={entrant} />
          </li>
        ))}
      </ol>
    </section>
  )
}

/** How everybody stands. A round robin has its points. */
export function Standings({ tournament, ownSeed }: { tournament: Tournament; ownSeed: number | null }) {
  const { format, standings } = tournament
  const entrants = entrantsBySeed(tournament)
  const isTable = format === 'round-robin'
  return (
    <div>
      <h2 id="standings" className="list-head">
        Standings
      </h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
      <section className="table-frame" aria-labelledby="standings" tabIndex={0}>
        <table className="standings" data-testid="standings">
          <thead>
            <tr>
              <th scope="col">Place</th>
              <th scope="col" className="standings-player">
                Player
              </th>
              {isTable && <th scope="col">Points</th>}
              <th scope="col">Won</th>
              {isTable && <th scope="col">Drawn</th>}
              <th scope="col">Lost</th>
              {isTable && <th scope="col">+/−</th>}
            </tr>
          </thead>
          <tbody>
            {standings.map(({ seed, place, won, drawn, lost, points, scoreDifference }) => (
              <tr key={seed} data-own={seed === ownSeed || undefined}>
                <td>{place ?? 'in'}</td>
                <th scope="row" className="standings-player">
                  <EntrantName entrant={entrants.get(seed)} />
                </th>
                {isTable && <td>{points}</td>}
                <td>{won}</td>
                {isTable && <td>{drawn}</td>}
                <td>{lost}</td>
                {isTable && <td>{scoreDifference}</td>}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  )
}

function EntrantName({ entrant }: { entrant: Entrant | undefined }) {
  if (!entrant) return null
  const { username, displayName, withdrawn } = entrant
  return (
    <>
      {username === null ? (
        <span className="soft">{displayName}</span>
      ) : (
        <UserLink username={username} displayName={displayName} />
      )}
      {withdrawn && <span className="small soft"> has left</span>}
    </>
  )
}
