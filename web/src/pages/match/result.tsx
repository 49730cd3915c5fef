import { useEffect, useRef } from 'react'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { duration } from '../../format.ts'
import { gameNames } from '../../games/index.ts'
import { type NewMatch, useCreateMatch } from '../../hooks/use-create-match.ts'
import { endWords, playerAt, resultTitle, scoreLine } from '../../match-words.ts'
import { Link, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { PlayIcon } from '../../ui/icons.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'
import { RematchOffer } from './rematch-offer.tsx'

interface ResultProps {
  readonly match: Match
  readonly mine: readonly number[]
  /** The game is still to be seen above. */
  readonly hasBoard: boolean
}

/** The end of a match, and what to do next. */
export function Result({ match, mine, hasBoard }: ResultProps) {
  const card = useRef<HTMLElement>(null)
  useEffect(() => {
    // It may have come up below the edge of the window.
    if (!hasBoard) return
    const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches
    card.current?.scrollIntoView({ block: 'nearest', behavior: isCalm ? 'instant' : 'smooth' })
  }, [hasBoard])
  const create = useCreateMatch()
  const again = againOf(match)
  const isWin = match.winnerSeat !== null && mine.length === 1 && mine.includes(match.winnerSeat)
  const isPlayer = mine.length > 0
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
              <span className={match.winnerSeat === 0 ? 'result-winner' : undefined}>{left?.displayName ?? '–'}</span>
              <strong>{scoreLine(match)}</strong>
              <span className={match.winnerSeat === 1 ? 'result-winner' : undefined}>{right?.displayName ?? '–'}</span>
            </p>
          </>
        )}
        {reason && <p className="soft">{reason}</p>}
        {match.startedAt !== null && match.finishedAt !== null && (
          <p className="soft small">Played for {duration(match.finishedAt - match.startedAt)} min</p>
        )}
      </div>
      {isPlayer && match.mode === 'casual' && match.status === 'finished' && <RematchOffer match={match} mine={mine} />}
      <div className="row result-actions">
        {isPlayer && again && (
          <Button look="primary" busy={create.busy} onClick={() => create.run(again)} data-testid="rematch">
            {match.mode === 'casual' ? 'Open a rematch' : 'Play again'}
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
      <ErrorNotice error={create.error} />
    </section>
  )
}

/** The same match once more; null if it cannot be had. */
function againOf({ game, mode, visibility, options }: Match): NewMatch | null {
  const known = gameNames.find((name) => name === game)
  if (!known || mode === 'ranked') return null
  return { game: known, mode, visibility, options }
}
