import { useEffect, useState } from 'react'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { viewOf } from '../../games/index.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useMatch } from '../../hooks/use-subscription.ts'
import { resultTitle, scoreLine } from '../../match-text.ts'
import { pairing, seatsOf } from '../../player-names.ts'
import { useRally, useUser } from '../../rally.ts'
import { MatchChat } from '../../rooms/chat-panel.tsx'
import { Link, navigate, paths } from '../../router.tsx'
import { Button, ShareButton } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { EyeIcon, LeaveIcon } from '../../ui/icons.tsx'
import { ErrorNotice, Loading, Notice } from '../../ui/notice.tsx'
import { MessagePage, Page } from '../../ui/page.tsx'
import { Absence, Countdown } from './countdown-and-absence.tsx'
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
      <MessagePage title="Match">
        <ErrorNotice error={error} words={WORDS} />
      </MessagePage>
    )
  }
  if (!match) return <Loading>Looking for the match…</Loading>
  return (
    <>
      {ended && <Notice look="warn">The server stopped sending changes of this match. Reload the page.</Notice>}
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
  // A game that was shown stays, with its last state above the result.
  const [wasActive, setWasActive] = useState(active)
  if (active && !wasActive) setWasActive(true)
  const isSeated = mine.length > 0

  useEffect(() => view?.preload(), [view])

  const isOver = match.status === 'finished' || match.status === 'aborted'
  const showsStage = view !== null && wasActive && match.status !== 'aborted' && (active || isOver)
  const overlay = (
    <>
      {isStarting && <Countdown match={match} mine={mine} />}
      {match.status === 'live' && <Absence match={match} mine={mine} />}
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
          {showsStage && (
            <ShareButton url={() => location.origin + paths.match(match.id)} title={pairing(match)} what="link" />
          )}
          {isSeated && !isOver && <LeaveButton match={match} />}
          {!isSeated && (
            <Link className="button button-small" href={paths.lobby}>
              To the lobby
            </Link>
          )}
        </div>
      }
    >
      <div className="match">
        <MatchStatusLine match={match} mine={mine} />
        {view === null && <Notice look="warn">This page is too old for this game. Reload it.</Notice>}
        {showsStage && view && <view.Stage match={match} mine={mine} active={active} overlay={overlay} />}
        {match.status === 'waiting' && !isStarting && <WaitingRoom match={match} mine={mine} />}
        {isOver && <Result match={match} mine={mine} hasBoard={showsStage} />}
        {user && isAmongPeople(match) && <MatchChat matchId={match.id} />}
      </div>
    </Page>
  )
}

/** Whether others than one user take part: there is something to talk about. */
function isAmongPeople({ mode, status, players }: Match): boolean {
  return (mode === 'casual' || mode === 'ranked') && players.length > 1 && status !== 'aborted'
}

/** The state of the match in a few words. Screen readers tell when it changes. */
function MatchStatusLine({ match, mine }: { match: Match; mine: readonly number[] }) {
  const rules = viewOf(match.game)?.describe(match.options)
  return (
    <p className="match-status">
      <span role="status" data-testid="match-status" data-status={match.status}>
        {sayStatus(match, mine)}
      </span>
      {rules && <span className="soft"> · {rules}</span>}
      {match.status === 'live' && match.spectators > 0 && (
        <span className="soft" data-testid="spectators">
          {' '}
          · {match.spectators} watching
        </span>
      )}
    </p>
  )
}

function sayStatus(match: Match, mine: readonly number[]): string {
  switch (match.status) {
    case 'waiting':
      if (match.startsAt !== null) return 'About to start'
      return match.players.length < 2 ? 'Waiting for an opponent' : 'Waiting for both players to be here'
    case 'live':
      return 'Live'
    case 'finished':
      return `${resultTitle(match, mine)}, ${scoreLine(match)}`
    case 'aborted':
      return 'Broken off'
  }
}

/** Gives up the seat; asks first if that loses the match. */
function LeaveButton({ match }: { match: Match }) {
  const rally = useRally()
  const [isAsking, setAsking] = useState(false)
  const hasBegun = match.status === 'live' || match.startsAt !== null
  const leave = useAction(async ({ offlineMs }) => {
    // Without the signal: the end of the match may come before the answer, and removes this button.
    await rally.matches.leave({ matchId: match.id }, { offlineMs })
    setAsking(false)
    // After a forfeit the page shows the result; a match that nobody joined has none.
    if (!hasBegun && location.pathname === paths.match(match.id)) navigate(paths.lobby, { replace: true })
  })
  const isAgainstSomebody = match.mode !== 'local'

  return (
    <>
      <Button small look="quiet" onClick={() => (hasBegun ? setAsking(true) : leave.run())} data-testid="leave-match">
        <LeaveIcon />
        {hasBegun ? 'Leave' : 'Close this match'}
      </Button>
      {!isAsking && <ErrorNotice error={leave.error} />}
      {isAsking && (
        <Dialog
          title={isAgainstSomebody ? 'Give this match up?' : 'End this match?'}
          onClose={() => setAsking(false)}
          actions={
            <>
              <Button onClick={() => setAsking(false)}>Play on</Button>
              <Button look="danger" busy={leave.busy} onClick={() => leave.run()} data-testid="confirm-leave">
                {isAgainstSomebody ? 'Give up' : 'End it'}
              </Button>
            </>
          }
        >
          <p>
            {isAgainstSomebody
              ? 'Leaving now means that your opponent wins.'
              : 'It ends here and does not count for anything.'}
          </p>
          <ErrorNotice error={leave.error} />
        </Dialog>
      )}
    </>
  )
}
