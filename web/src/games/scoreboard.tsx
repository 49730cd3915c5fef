import type { Match } from '../../../src/modules/matches/types.ts'
import { PlayerName } from '../player-links.tsx'
import type { SeatNames } from './game-view.ts'

type Player = Match['players'][number]

interface ScoreboardProps {
  readonly players: readonly Player[]
  /** The viewer's seats: two where both are one person's. */
  readonly mine: readonly number[]
  readonly seatNames: SeatNames
  /** Newer scores than the players have, if there are. */
  readonly scores?: readonly number[] | null
  /** The seat whose turn it is. */
  readonly turn?: number | null
  /** A replay does not say who is away, or which player is the viewer. */
  readonly isReplay?: boolean
}

/** Both players, their sides and their points. While one plays, a press on a name must not leave the match. */
export function Scoreboard({ players, mine, seatNames, scores, turn = null, isReplay = false }: ScoreboardProps) {
  const side = (seat: 0 | 1) => {
    const player = players.find((one) => one.seat === seat)
    const score = scores?.[seat] ?? player?.score ?? 0
    return (
      <div className="side" data-seat={seat} data-turn={turn === seat || undefined}>
        <span className="side-name">
          <span className="dot" aria-hidden="true" />
          <span className="side-who">
            <span className="side-text">
              {!player ? 'Free seat' : mine.length > 0 ? player.displayName : <PlayerName player={player} />}
            </span>
            {mine.length > 1 && <span className="tag tag-seat">{seatNames[seat]}</span>}
            {!isReplay && <SideTag player={player} seat={seat} mine={mine} />}
          </span>
        </span>
        <span className="side-score numbers">
          <span className="hidden-visually">points: </span>
          <span data-testid={`${isReplay ? 'replay-' : ''}score-${seat}`}>{score}</span>
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
}

function SideTag({ player, seat, mine }: SideTagProps) {
  if (mine.length > 1) return null
  if (mine.includes(seat)) return <span className="tag tag-seat">You</span>
  if (player && !player.connected) return <span className="tag tag-danger">Away</span>
  return null
}
