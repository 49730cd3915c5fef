import { useEffect, useRef } from 'react'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { duration } from '../../format.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useMatch } from '../../hooks/use-subscription.ts'
import { endWords, resultTitle, scoreLine } from '../../match-text.ts'
import { PlayerName } from '../../player-links.tsx'
import { playerAt } from '../../player-names.ts'
import { useRally } from '../../rally.ts'
import { Link, navigate, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { PlayIcon } from '../../ui/icons.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'
import { RatingChanges } from './rating-changes.tsx'

interface ResultProps {
  readonly match: Match
  readonly mine: readonly number[]
  /** The game is still shown above. */
  readonly hasBoard: boolean
}

const WORDS = {
  NOT_FOUND: 'This match is not kept any more. Start a new one from the lobby.',
  MATCH_CLOSED: 'The rematch is over already. Ask for another one.',
}

/** The end of a match, and what to do next. */
export function Result({ match, mine, hasBoard }: ResultProps) {
  const card = useRef<HTMLElement>(null)
  useEffect(() => {
    // The card may be below the edge of the window.
    if (!hasBoard) return
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
    card.current?.scrollIntoView({ block: 'nearest', behavior: isCalm ? 'instant' : 'smooth' })
  }, [hasBoard])
  const { host, again } = useRematch(match, mine)
  const isWin = match.winnerSeat !== null && mine.length === 1 && mine.includes(match.winnerSeat)
  const isPlayer = mine.length > 0
  const isAgainstPerson = match.players.some(({ seat, userId }) => userId !== null && !mine.includes(seat))
  const reason = endWords(match, mine)
  const left = playerAt(match, 0)
  const right = playerAt(match, 1)
  return (
    <section
      ref={card}
      className={`result card ${hasBoard ? '' : 'result-alone'}`}
      data-win={isWin || undefined}
      data-testid="result"
    >
      <div className="result-words" role="status">
        {match.status === 'aborted' ? (
          <h2>The match was broken off</h2>
        ) : (
          <>
            <h2>{resultTitle(match, mine)}</h2>
            <p className="result-score numbers">
              <span className={match.winnerSeat === 0 ? 'result-winner' : undefined}>
                <PlayerName player={left} />
              </span>
              <strong>{scoreLine(match)}</strong>
              <span className={match.winnerSeat === 1 ? 'result-winner' : undefined}>
                <PlayerName player={right} />
              </span>
            </p>
          </>
        )}
        <RatingChanges match={match} />
        {reason && <p className="soft">{reason}</p>}
        {match.startedAt !== null && match.finishedAt !== null && (
          <p className="soft small">Played for {duration(match.finishedAt - match.startedAt)} min</p>
        )}
      </div>
      <div role="status">{host && <p className="rematch-offer">{host} wants a rematch and waits for you.</p>}</div>
      <div className="row result-actions">
        {isPlayer && (
          <Button look="primary" busy={again.busy} onClick={() => again.run()} data-testid="rematch">
            {host ? `Play ${host} again` : isAgainstPerson ? 'Ask for a rematch' : 'Play again'}
          </Button>
        )}
        {match.status === 'finished' && (
          <Link className="button" href={paths.replay(match.id)} data-testid="replay-link">
            <PlayIcon />
            Watch the replay
          </Link>
        )}
        <Link className="button" href={paths.lobby}>
          To the lobby
        </Link>
      </div>
      {isPlayer && match.mode === 'ranked' && (
        <p className="soft small">A rematch does not count for the rating: ranked opponents are found in the lobby.</p>
      )}
      <ErrorNotice error={again.error} words={WORDS} />
    </section>
  )
}

/**
 * The rematch of `match`, which is over. `host` is the opponent who waits in it, null for nobody; `again` opens it, or takes
 * the seat in the one that the opponent has opened.
 */
function useRematch(match: Match, mine: readonly number[]) {
  const rally = useRally()
  const again = useAction(async (call) => {
    const { id } = await rally.matches.rematch({ matchId: match.id }, call)
    navigate(paths.match(id))
  })
  const { data: next } = useMatch(mine.length > 0 ? match.rematchId : null)
  // A player who has left the rematch no longer waits.
  const host = next?.status === 'waiting' ? next.players.find(({ seat }) => !mine.includes(seat)) : undefined
  return { host: host?.displayName ?? null, again }
}
