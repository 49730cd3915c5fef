import { useCallback } from 'react'
import type { Invite } from '../../../src/modules/matches/types.ts'
import { viewOf } from '../games/index.ts'
import { useAction } from '../hooks/use-action.ts'
import { useTimeLeft } from '../hooks/use-now.ts'
import { useRally } from '../rally.ts'
import { navigate, paths } from '../router.tsx'
import { Button } from '../ui/button.tsx'
import { ErrorNotice } from '../ui/notice.tsx'

const WORDS = {
  NOT_FOUND: 'This invite is no longer open.',
  MATCH_FULL: 'Somebody else has taken the seat.',
  MATCH_CLOSED: 'The match is over already.',
  TOO_MANY_MATCHES: 'Finish or leave another match first.',
}

/** What the user is asked, until when, and the answers. `onAnswered` is called once there is one. */
export function InviteItem({ invite, onAnswered }: { invite: Invite; onAnswered?: () => void }) {
  const rally = useRally()
  const inviteId = invite.id
  const accept = useAction(async ({ offlineMs }) => {
    // Without the signal: the stream may say before the answer that the invite is gone, which removes this item.
    const match = await rally.matches.acceptInvite({ inviteId }, { offlineMs })
    onAnswered?.()
    navigate(paths.match(match.id))
  })
  const decline = useAction(async (call) => {
    await rally.matches.declineInvite({ inviteId }, call)
    onAnswered?.()
  })
  const clock = useCallback(() => rally.clock.now(), [rally])
  const left = useTimeLeft(invite.expiresAt, clock)
  // The server has given the user a seat: there is nothing to decline.
  const isCalled = invite.reason !== 'invite'
  return (
    <div className="stack-tight" data-invite={inviteId}>
      <p>
        <strong>{sayInvite(invite)}</strong>{' '}
        <span className="soft small numbers" aria-live="off">
          {Math.ceil(left / 1000)} s
        </span>
      </p>
      <div className="row">
        <Button small look="primary" busy={accept.busy} onClick={() => accept.run()} data-testid="accept-invite">
          {isCalled ? 'Go to it' : 'Accept'}
        </Button>
        {!isCalled && (
          <Button small busy={decline.busy} onClick={() => decline.run()} data-testid="decline-invite">
            Decline
          </Button>
        )}
      </div>
      <ErrorNotice error={accept.error ?? decline.error} words={WORDS} />
    </div>
  )
}

function sayInvite({ reason, from, game, mode }: Invite): string {
  const what = viewOf(game)?.label ?? game
  switch (reason) {
    case 'invite':
      return `${from?.displayName ?? 'Somebody'} invites you to ${what}${mode === 'ranked' ? ', ranked' : ''}.`
    case 'tournament':
      return `Your tournament match of ${what} is ready.`
    case 'queue':
      return `A match of ${what} is found for you.`
  }
}
