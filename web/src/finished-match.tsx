import type { Match } from '../../src/modules/matches/types.ts'
import { duration } from './format.ts'
import { viewOf } from './games/index.ts'
import { endWords, scoreLine } from './match-text.ts'
import { PairingLinks } from './player-links.tsx'
import { pairing, seatName } from './player-names.ts'
import { Link, paths } from './router.tsx'
import { PlayIcon } from './ui/icons.tsx'
import { TimeAgo } from './ui/time-ago.tsx'

interface FinishedMatchProps {
  readonly match: Match
  /** The seats of the user of this page. */
  readonly mine: readonly number[]
  /** The seats of the player in whose list it stands. Default: those of the user of this page. */
  readonly of?: readonly number[]
}

/** An entry in a list of a player's finished matches. */
export function FinishedMatch({ match, mine, of = mine }: FinishedMatchProps) {
  const view = viewOf(match.game)
  const players = pairing(match, mine)
  const at = match.finishedAt ?? match.createdAt
  const reason = endWords(match, mine)
  return (
    <li className="list-item list-item-whole" data-match={match.id}>
      {view && <view.Mark />}
      <span className="list-text">
        <strong>
          <PairingLinks match={match} mine={mine} />
        </strong>
        <span className="small soft">
          <Link className="list-item-link" href={paths.match(match.id)} aria-label={`Match: ${players}`}>
            {view?.label ?? match.game}
          </Link>
          {match.startedAt !== null && match.finishedAt !== null
            ? `, ${duration(match.finishedAt - match.startedAt)} min`
            : ''}{' '}
          · <TimeAgo at={at} />
        </span>
        {reason && <span className="small soft">{reason}</span>}
      </span>
      <span className="history-result">
        <Verdict match={match} of={of} />
        <strong className="numbers">{scoreLine(match)}</strong>
      </span>
      {match.status === 'finished' && (
        <Link
          className="button button-small button-quiet history-replay"
          href={paths.replay(match.id)}
          aria-label={`Replay: ${players}`}
          data-testid="replay-link"
        >
          <PlayIcon />
          <span className="history-replay-word">Replay</span>
        </Link>
      )}
    </li>
  )
}

function Verdict({ match, of }: { match: Match; of: readonly number[] }) {
  const { winnerSeat } = match
  if (winnerSeat === null) return <span className="tag">Draw</span>
  if (of.length > 1) return <span className="tag">{seatName(match, winnerSeat)} won</span>
  return of.includes(winnerSeat) ? (
    <span className="tag tag-accent">Won</span>
  ) : (
    <span className="tag tag-danger">Lost</span>
  )
}
