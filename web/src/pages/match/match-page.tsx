import { useEffect, useState } from 'react'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { viewOf } from '../../games/index.ts'
import { useMatch } from '../../hooks/use-match.ts'
import { seatsOf } from '../../match-words.ts'
import { useUser } from '../../rally.ts'
import { Link, paths } from '../../router.tsx'
import { EyeIcon } from '../../ui/icons.tsx'
import { ErrorNotice, Loading, Notice } from '../../ui/notice.tsx'
import { Page } from '../../ui/page.tsx'
import { Absent } from './absent.tsx'
import { Countdown } from './countdown.tsx'
import { LeaveButton } from './leave-button.tsx'
import { MatchStatusLine } from './match-status-line.tsx'
import { Result } from './result.tsx'
import { WaitingRoom } from './waiting-room.tsx'

const WORDS = {
  NOT_FOUND: 'There is no match at this address.',
  VALIDATION_FAILED: 'There is no match at this address.',
}

/** One match, from waiting for somebody to its result, for players and spectators. */
export function MatchPage({ matchId }: { matchId: string }) {
  const { data: match, error, ended } = useMatch(matchId)
  if (error) {
    return (
      <Page title="Match" fit="narrow">
        <div className="stack">
          <ErrorNotice error={error} words={WORDS} />
          <div>
            <ToLobby />
          </div>
        </div>
      </Page>
    )
  }
  if (!match) return <Loading>Looking for the match…</Loading>
  return (
    <>
      {ended && <Notice look="warn">The server stopped telling us about this match. Reload the page.</Notice>}
      <MatchView match={match} />
    </>
  )
}

function MatchView({ match }: { match: Match }) {
  const user = useUser()
  const mine = seatsOf(match, user?.id)
  const view = viewOf(match.game)
  const isStarting = match.status === 'waiting' && match.startsAt !== null
  const active = match.status === 'live' || isStarting
  // Once the game was shown it stays, with its last state under the result.
  const [wasActive, setWasActive] = useState(active)
  if (active && !wasActive) setWasActive(true)
  const isSeated = mine.length > 0

  useEffect(() => view?.preload(), [view])

  const isOver = match.status === 'finished' || match.status === 'aborted'
  const showsStage = view !== null && wasActive && match.status !== 'aborted' && (active || isOver)
  const overlay = (
    <>
      {isStarting && <Countdown match={match} mine={mine} />}
      {match.status === 'live' && <Absent match={match} mine={mine} />}
    </>
  )

  return (
    <Page
      title={view?.label ?? match.game}
      tabTitle={isStarting ? 'Get ready!' : undefined}
      fit={showsStage && view ? view.fit : 'narrow'}
      aside={
        <div className="row">
          {!isSeated && active && (
            <span className="tag">
              <EyeIcon />
              Watching
            </span>
          )}
          {isSeated && !isOver && <LeaveButton match={match} />}
          {!isSeated && <ToLobby />}
        </div>
      }
    >
      <div className="stack match">
        <MatchStatusLine match={match} mine={mine} />
        {view === null && <Notice look="warn">This page is too old for this game. Reload it.</Notice>}
        {showsStage && view && <view.Stage match={match} mine={mine} active={active} overlay={overlay} />}
        {match.status === 'waiting' && !isStarting && <WaitingRoom match={match} mine={mine} />}
        {isOver && <Result match={match} mine={mine} hasBoard={showsStage} />}
      </div>
    </Page>
  )
}

function ToLobby() {
  return (
    <Link className="button button-small" href={paths.lobby}>
      To the lobby
    </Link>
  )
}
