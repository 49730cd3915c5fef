import type { Entrant, Pairing, Tournament } from '../../../../src/modules/tournaments/types.ts'
import { Link, paths } from '../../router.tsx'
import { UserLink } from '../../ui/user-link.tsx'

interface PairingCardProps {
  readonly pairing: Pairing
  readonly entrants: ReadonlyMap<number, Entrant>
  readonly ownSeed: number | null
}

/** Who is who in a tournament that has started. */
export function entrantsBySeed({ entrants }: Pick<Tournament, 'entrants'>): ReadonlyMap<number, Entrant> {
  return new Map(entrants.flatMap((entrant) => (entrant.seed === null ? [] : [[entrant.seed, entrant] as const])))
}

/** Two players who meet, with the score, and a link to their match. */
export function PairingCard({ pairing, entrants, ownSeed }: PairingCardProps) {
  const { seeds, status, winner, scores, round, slot } = pairing
  const isOwn = ownSeed !== null && seeds.includes(ownSeed)
  return (
    <div
      className="pairing"
      data-status={status}
      data-own={isOwn || undefined}
      data-testid={`pairing-${round}-${slot}`}
    >
      {([0, 1] as const).map((side) => {
        const seed = seeds[side]
        const isWinner = seed !== null && winner === seed
        return (
          <div
            key={side}
            className="pairing-side"
            data-result={status === 'decided' ? (isWinner ? 'won' : 'lost') : undefined}
          >
            <span className="pairing-seed numbers">{seed ?? ''}</span>
            <span className="pairing-name">
              <Name entrant={seed === null ? undefined : entrants.get(seed)} isDecided={status === 'decided'} />
            </span>
            <span className="pairing-score numbers">{scores?.[side] ?? (isWinner ? '✓' : '')}</span>
          </div>
        )
      })}
      <PairingFoot pairing={pairing} isOwn={isOwn} />
    </div>
  )
}

function Name({ entrant, isDecided }: { entrant: Entrant | undefined; isDecided: boolean }) {
  if (!entrant) return <span className="soft">{isDecided ? 'nobody' : 'open'}</span>
  return entrant.username === null ? (
    <span className="soft">{entrant.displayName}</span>
  ) : (
    <UserLink username={entrant.username} displayName={entrant.displayName} />
  )
}

const DECIDED_WORDS = {
  result: 'Match',
  forfeit: 'Forfeit',
  bye: 'Bye',
  seed: 'By seed',
  unplayed: 'Not played',
} as const

function PairingFoot({ pairing: { status, matchId, decidedBy }, isOwn }: { pairing: Pairing; isOwn: boolean }) {
  if (status === 'playing' && matchId) {
    return (
      <Link className="pairing-foot pairing-live" href={paths.match(matchId)}>
        {isOwn ? 'Play' : 'Watch'}
      </Link>
    )
  }
  if (decidedBy === 'result' && matchId) {
    return (
      <Link className="pairing-foot" href={paths.match(matchId)}>
        {DECIDED_WORDS.result}
      </Link>
    )
  }
  return <span className="pairing-foot soft">{decidedBy && DECIDED_WORDS[decidedBy]}</span>
}
