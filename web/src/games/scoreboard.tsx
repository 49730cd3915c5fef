import type { Match } from '../../../src/modules/matches/types.ts'

type Player = Match['players'][number]

interface ScoreboardProps {
  readonly match: Match
  readonly mine: readonly number[]
  /** What tells the seats apart where both are one person's. */
  readonly seatNames: readonly [string, string]
  /** Newer scores than the match has, if there are. */
  readonly scores?: readonly number[] | null
  /** The seat whose turn it is. */
  readonly turn?: number | null
}

/** Both players, their sides and their points. */
export function Scoreboard({ match, mine, seatNames, scores, turn = null }: ScoreboardProps) {
  const side = (seat: 0 | 1) => {
    const player = match.players.find((one) => one.seat === seat)
    const score = scores?.[seat] ?? player?.score ?? 0
    return (
      <div className={`side side-${seat}`} data-turn={turn === seat || undefined}>
        <span className="side-name">
          <span className={`dot dot-${seat}`} aria-hidden="true" />
          <span className="side-text">{player?.displayName ?? 'Free seat'}</span>
          <SideTag player={player} seat={seat} mine={mine} name={seatNames[seat]} />
        </span>
        <span className="side-score numbers">
          <span className="hidden-visually">points: </span>
          <span data-testid={`score-${seat}`}>{score}</span>
        </span>
      </div>
    )
  }
  return (
    <section className="scoreboard" aria-label="Score">
      {side(0)}
      <span className="scoreboard-colon" aria-hidden="true">
        :
      </span>
      {side(1)}
    </section>
  )
}

interface SideTagProps {
  readonly player: Player | undefined
  readonly seat: number
  readonly mine: readonly number[]
  readonly name: string | undefined
}

function SideTag({ player, seat, mine, name }: SideTagProps) {
  if (mine.length > 1) return <span className={`tag tag-seat-${seat}`}>{name}</span>
  if (mine.includes(seat)) return <span className={`tag tag-seat-${seat}`}>You</span>
  if (player && !player.connected) return <span className="tag tag-danger">Away</span>
  return null
}
