import { type ReactNode, useState } from 'react'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { viewOf } from '../../games/index.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useLobby } from '../../hooks/use-subscription.ts'
import { scoreLine } from '../../match-text.ts'
import { PairingLinks } from '../../player-links.tsx'
import { pairing, seatsOf } from '../../player-names.ts'
import { useRally } from '../../rally.ts'
import { Link, navigate, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { EmptyCourt, EyeIcon } from '../../ui/icons.tsx'
import { Empty, ErrorNotice, Loading } from '../../ui/notice.tsx'
import { TimeAgo } from '../../ui/time-ago.tsx'

/** The matches that wait for a player, and those that can be watched. */
export function MatchLists({ userId }: { userId: string }) {
  const { data, error } = useLobby()
  if (error && !data) return <ErrorNotice error={error} />
  const waiting = data?.matches.filter((match) => match.status === 'waiting' && match.startsAt === null) ?? []
  const live = data?.matches.filter((match) => match.status === 'live' || match.startsAt !== null) ?? []
  return (
    <div className="stack lobby-lists" data-testid="lobby-list">
      <ErrorNotice error={error} />
      <section aria-labelledby="open-matches">
        <h2 id="open-matches" className="list-head">
          Open matches <Count of={data && waiting.length} />
        </h2>
        {!data && <Loading>Looking who is there…</Loading>}
        {data && waiting.length === 0 && (
          <Empty art={<EmptyCourt />} title="Nobody is waiting">
            Create a match and be the first; it appears here for everybody.
          </Empty>
        )}
        {waiting.length > 0 && (
          <List>
            {waiting.map((match) => (
              <WaitingMatch key={match.id} match={match} isMine={seatsOf(match, userId).length > 0} />
            ))}
          </List>
        )}
      </section>
      {live.length > 0 && (
        <section aria-labelledby="live-matches">
          <h2 id="live-matches" className="list-head">
            Being played <Count of={live.length} />
          </h2>
          <List>
            {live.map((match) => (
              <LiveMatch key={match.id} match={match} isMine={seatsOf(match, userId).length > 0} />
            ))}
          </List>
        </section>
      )}
    </div>
  )
}

/** How many entries a small window shows at first; the style sheet hides the others. */
const SHORT = 3

function List({ children }: { children: readonly ReactNode[] }) {
  const [isWhole, setWhole] = useState(false)
  const isShort = !isWhole && children.length > SHORT
  return (
    <>
      <ul className={isShort ? 'list list-short' : 'list'}>{children}</ul>
      {isShort && (
        <Button small className="list-more" onClick={() => setWhole(true)}>
          Show all {children.length}
        </Button>
      )}
    </>
  )
}

function Count({ of }: { of: number | undefined }) {
  return of ? <span className="tag numbers">{of}</span> : null
}

function WaitingMatch({ match, isMine }: { match: Match; isMine: boolean }) {
  const rally = useRally()
  const join = useAction(async (call) => {
    await rally.matches.join({ matchId: match.id }, call)
    navigate(paths.match(match.id))
  })
  return (
    <li className="list-item" data-match={match.id}>
      <About match={match}>
        <TimeAgo at={match.createdAt} />
      </About>
      {isMine ? (
        <Link className="button button-small" href={paths.match(match.id)}>
          Yours: open
        </Link>
      ) : (
        <Button small look="primary" busy={join.busy} onClick={() => join.run()} data-testid="join-match">
          Join<span className="hidden-visually"> {pairing(match)}</span>
        </Button>
      )}
      <ErrorNotice error={join.error} />
    </li>
  )
}

function LiveMatch({ match, isMine }: { match: Match; isMine: boolean }) {
  return (
    <li className="list-item" data-match={match.id}>
      <About match={match}>
        <strong className="numbers">{scoreLine(match)}</strong>
        {match.spectators > 0 && `, ${match.spectators} watching`}
      </About>
      <Link
        className={`button button-small ${isMine ? 'button-primary' : ''}`}
        href={paths.match(match.id)}
        data-testid="watch-match"
      >
        {isMine ? (
          'Back to it'
        ) : (
          <>
            <EyeIcon />
            Watch
          </>
        )}
      </Link>
    </li>
  )
}

function About({ match, children }: { match: Match; children: ReactNode }) {
  const view = viewOf(match.game)
  return (
    <>
      {view && <view.Mark />}
      <div className="list-text">
        <strong>
          <PairingLinks match={match} />
        </strong>
        <span className="small soft">
          {[view?.label ?? match.game, view?.describe(match.options)].filter(Boolean).join(', ')} · {children}
        </span>
      </div>
    </>
  )
}
