import { useCallback, useEffect, useState } from 'react'
import type { Match } from '../../../src/modules/matches/types.ts'
import { ago, duration, exactTime } from '../format.ts'
import { viewOf } from '../games/index.ts'
import { useAction } from '../hooks/use-action.ts'
import { useNow } from '../hooks/use-now.ts'
import { endWords, pairing, scoreLine, seatName, seatsOf } from '../match-text.ts'
import { useRally, useUser } from '../rally.ts'
import { Link, paths } from '../router.tsx'
import { Button } from '../ui/button.tsx'
import { EmptyCourt, PlayIcon } from '../ui/icons.tsx'
import { Empty, ErrorNotice, Loading } from '../ui/notice.tsx'
import { Page } from '../ui/page.tsx'

const PAGE = 20

interface Loaded {
  readonly matches: readonly Match[]
  readonly nextCursor: string | undefined
}

/** One's own finished matches, newest first. */
export function HistoryPage() {
  const rally = useRally()
  const user = useUser()
  const now = useNow(30_000)
  const [loaded, setLoaded] = useState<Loaded | null>(null)

  const load = useAction(
    useCallback(
      async ({ signal }, cursor?: string) => {
        const { items, nextCursor } = await rally.matches.history(
          { limit: PAGE, ...(cursor ? { cursor } : {}) },
          { signal },
        )
        setLoaded((before) => ({ matches: cursor && before ? [...before.matches, ...items] : items, nextCursor }))
      },
      [rally],
    ),
  )
  const { run } = load
  useEffect(() => run(), [run])

  return (
    <Page title="History" fit="narrow">
      <div className="stack">
        <ErrorNotice error={load.error}>
          {' '}
          <button type="button" className="text-button" onClick={() => run(loaded?.nextCursor)}>
            Try again
          </button>
        </ErrorNotice>
        {!loaded && load.busy && <Loading>Fetching your matches…</Loading>}
        {loaded?.matches.length === 0 && (
          <Empty art={<EmptyCourt />} title="No matches yet">
            What you play to the end is kept here. <Link href={paths.lobby}>Play one</Link>
          </Empty>
        )}
        {loaded && loaded.matches.length > 0 && (
          <ul className="list" data-testid="history-list">
            {loaded.matches.map((match) => (
              <FinishedMatch key={match.id} match={match} mine={seatsOf(match, user?.id)} now={now} />
            ))}
          </ul>
        )}
        {loaded?.nextCursor && (
          <Button busy={load.busy} onClick={() => run(loaded.nextCursor)}>
            Show older ones
          </Button>
        )}
      </div>
    </Page>
  )
}

function FinishedMatch({ match, mine, now }: { match: Match; mine: readonly number[]; now: number }) {
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
          ·{' '}
          <time dateTime={new Date(at).toISOString()} title={exactTime(at)}>
            {ago(at, now)}
          </time>
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
