import type { Match } from '../../../../src/modules/matches/types.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useMatch } from '../../hooks/use-subscription.ts'
import { PlayerName } from '../../player-links.tsx'
import { playerAt, seatsOf } from '../../player-names.ts'
import { useRally, useUser } from '../../rally.ts'
import { Link, paths } from '../../router.tsx'
import { Button, CopyButton } from '../../ui/button.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'
import { InviteByName } from './invite-by-name.tsx'

/** Before a match: the players who are there, and how to invite the other one. */
export function WaitingRoom({ match, mine }: { match: Match; mine: readonly number[] }) {
  const isSeated = mine.length > 0
  const isFull = match.players.length >= 2
  const isRematch = match.rematchOf !== null
  const { data: before } = useMatch(match.rematchOf)
  const user = useUser()
  const isKept = isRematch && user !== null && (!before || seatsOf(before, user.id).length === 0)
  return (
    <div className="stack card">
      <ul className="waiting-seats" aria-label="Players">
        <SeatCard match={match} before={before} seat={0} mine={mine} />
        <li className="waiting-versus" aria-hidden="true">
          vs
        </li>
        <SeatCard match={match} before={before} seat={1} mine={mine} />
      </ul>
      {!isFull && isSeated && (isRematch ? <Offered match={match} before={before} /> : <Invite match={match} />)}
      {!isFull && !isSeated && !isKept && <TakeSeat match={match} />}
      {!isFull && !isSeated && isKept && (
        <p className="soft small">This is a rematch: the free seat is kept for the other player.</p>
      )}
      {isFull && <p className="soft small">It starts by itself as soon as both are connected.</p>}
    </div>
  )
}

interface SeatCardProps {
  readonly match: Match
  /** The match of which this is a rematch, once it is known: its players' seats are kept. */
  readonly before: Match | undefined
  readonly seat: number
  readonly mine: readonly number[]
}

function SeatCard({ match, before, seat, mine }: SeatCardProps) {
  const player = playerAt(match, seat)
  const owner = before && playerAt(before, seat)
  if (!player) {
    return (
      <li className="waiting-seat waiting-seat-free" data-seat={seat}>
        <span className="dot" aria-hidden="true" />
        <span>{owner ? `Kept for ${owner.displayName}` : 'Free seat'}</span>
        <span className="small soft">waiting…</span>
      </li>
    )
  }
  return (
    <li className="waiting-seat" data-seat={seat}>
      <span className="dot" aria-hidden="true" />
      <strong>
        <PlayerName player={player} />
        {mine.includes(seat) && <span className="soft"> (you)</span>}
      </strong>
      <span className="small soft">{player.connected ? 'is here' : 'not connected'}</span>
    </li>
  )
}

/** A rematch needs no invitation: the opponent's page shows the offer. */
function Offered({ match, before }: { match: Match; before: Match | undefined }) {
  const missing = before?.players.find(({ seat }) => !playerAt(match, seat))
  return (
    <p className="soft small">
      {missing?.displayName ?? 'Your opponent'} sees your offer beside the result of the last match. Nobody else can
      take the seat, and it starts as soon as you are both here.
    </p>
  )
}

function Invite({ match }: { match: Match }) {
  return (
    <div className="stack invite">
      <p>
        {match.visibility === 'public'
          ? 'Anybody in the lobby can take the other seat. To play a friend, send the link or the code.'
          : 'Send the link or the code to a friend; the match starts as soon as they are here.'}
      </p>
      <div className="row invite-link">
        <input
          className="input mono"
          readOnly
          value={match.joinUrl}
          aria-label="Link to this match"
          data-testid="share-link"
          onFocus={(event) => event.target.select()}
        />
        <CopyButton text={match.joinUrl} what="link" look="primary" />
      </div>
      <div className="row invite-code">
        <span className="soft">or the code</span>
        <strong className="mono" data-testid="match-code">
          {match.code}
        </strong>
        <CopyButton text={match.code} what="code" />
      </div>
      <InviteByName match={match} />
    </div>
  )
}

function TakeSeat({ match }: { match: Match }) {
  const rally = useRally()
  const user = useUser()
  const join = useAction(async (call) => {
    await rally.matches.join({ matchId: match.id }, call)
  })
  if (!user) {
    return (
      <Link className="button button-primary" href={paths.join(match.code)}>
        Sign in and take the free seat
      </Link>
    )
  }
  return (
    <div className="stack">
      <Button look="primary" busy={join.busy} onClick={() => join.run()} data-testid="take-seat">
        Take the free seat
      </Button>
      <ErrorNotice error={join.error} />
    </div>
  )
}
