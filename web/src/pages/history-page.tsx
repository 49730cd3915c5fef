import { useCallback } from 'react'
import type { Match } from '../../../src/modules/matches/types.ts'
import { duration } from '../format.ts'
import { viewOf } from '../games/index.ts'
import type { OwnCall } from '../hooks/use-action.ts'
import { endWords, scoreLine } from '../match-text.ts'
import { pairing, seatName, seatsOf } from '../player-names.ts'
import { useRally, useUser } from '../rally.ts'
import { Link, paths } from '../router.tsx'
import { EmptyCourt, PlayIcon } from '../ui/icons.tsx'
import { Empty } from '../ui/notice.tsx'
import { Page } from '../ui/page.tsx'
import { PagedList, usePages } from '../ui/paged-list.tsx'
import { TimeAgo } from '../ui/time-ago.tsx'

const PAGE = 20

/** The user's own finished matches, newest first. */
export function HistoryPage() {
  const rally = useRally()
  const user = useUser()
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) =>
      rally.matches.history({ limit: PAGE, ...(cursor ? { cursor } : {}) }, { signal }),
    [rally],
  )
  const { pages, action } = usePages(load)
  return (
    <Page title="History" fit="narrow">
      <div className="stack">
        <PagedList pages={pages} action={action} loading="Fetching your matches…">
          {pages?.items.length === 0 && (
            <Empty art={<EmptyCourt />} title="No matches yet">
              What you play to the end is kept here. <Link href={paths.lobby}>Play one</Link>
            </Empty>
          )}
          {pages && pages.items.length > 0 && (
            <ul className="list" data-testid="history-list">
              {pages.items.map((match) => (
                <FinishedMatch key={match.id} match={match} mine={seatsOf(match, user?.id)} />
              ))}
            </ul>
          )}
        </PagedList>
      </div>
    </Page>
  )
}

function FinishedMatch({ match, mine }: { match: Match; mine: readonly number[] }) {
  const view = viewOf(match.game)
  const players = pairing(match, mine)
  const at = match.finishedAt ?? match.createdAt
  const reason = endWords(match, mine)
  return (
    <li className="list-item list-item-whole" data-match={match.id}>
      {view && <view.Mark />}
      <span className="list-text">
        <Link className="list-item-link" href={paths.match(match.id)}>
          {players}
        </Link>
        <span className="small soft">
          {view?.label ?? match.game}
          {match.startedAt !== null && match.finishedAt !== null
            ? `, ${duration(match.finishedAt - match.startedAt)} min`
            : ''}{' '}
          · <TimeAgo at={at} />
        </span>
        {reason && <span className="small soft">{reason}</span>}
      </span>
      <span className="history-result">
        <Verdict match={match} mine={mine} />
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

function Verdict({ match, mine }: { match: Match; mine: readonly number[] }) {
  const { winnerSeat } = match
  if (winnerSeat === null) return <span className="tag">Draw</span>
  if (mine.length > 1) return <span className="tag">{seatName(match, winnerSeat)} won</span>
  return mine.includes(winnerSeat) ? (
    <span className="tag tag-accent">Won</span>
  ) : (
    <span className="tag tag-danger">Lost</span>
  )
}
