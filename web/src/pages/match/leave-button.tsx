import { useState } from 'react'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { navigate, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { LeaveIcon } from '../../ui/icons.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'

/** Gives up the seat; asks first where that loses a match. */
export function LeaveButton({ match }: { match: Match }) {
  const rally = useRally()
  const [isAsking, setAsking] = useState(false)
  const hasBegun = match.status === 'live' || match.startsAt !== null
  const leave = useAction(async ({ offlineMs }) => {
    // Not by the signal: that the match is over may be told before the answer, and takes this button away.
    await rally.matches.leave({ matchId: match.id }, { offlineMs })
    setAsking(false)
    // After a forfeit there is a result to look at; a match that nobody joined leaves nothing.
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
