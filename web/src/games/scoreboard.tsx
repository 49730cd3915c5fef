import type { Match } from '../../../src/modules/matches/types.ts'

type Player = Match['players'][number]

interface ScoreboardProps {
  readonly match: Match
  readonly mine: readonly number[]
  /** Newer scores than the match has, if there are. */
  readonly scores?: readonly number[] | null
  /** The seat whose turn it is. */
  readonly turn?: number | null
}

/** Both players, their sides and their points. */
export function Scoreboard({ match, mine, scores, turn = null }: ScoreboardProps) {
  const side = (seat: number) => {
    const player = match.players.find((one) => one.seat === seat)
    const score = scores?.[seat] ?? player?.score ?? 0
    return (
      <div className={`side side-${seat}`} data-turn={turn === seat || undefined}>
        <span className="side-name">
          <span className={`dot dot-${seat}`} aria-hidden="true" />
          <span className="side-text">{player?.displayName ?? 'Free seat'}</span>
          <SideTag player={player} seat={seat} mine={mine} />
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

function SideTag({ player, seat, mine }: { player: Player | undefined; seat: number; mine: readonly number[] }) {
  if (mine.length > 1) return <span className="tag">{seat === 0 ? 'Left' : 'Right'}</span>
  if (mine.includes(seat)) return <span className={`tag tag-seat-${seat}`}>You</span>
  if (player && !player.connected) return <span className="tag tag-danger">Away</span>
  return null
}
