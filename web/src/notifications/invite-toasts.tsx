import type { Invite } from '../../../src/modules/matches/types.ts'
import { Button } from '../ui/button.tsx'
import { CloseIcon } from '../ui/icons.tsx'
import { InviteItem } from './invite-item.tsx'

/** More would cover the page. */
const MAX_SHOWN = 3

interface InviteToastsProps {
  readonly invites: readonly Invite[]
  readonly putAside: (inviteId: string) => void
}

/** New invites, over the page. */
export function InviteToasts({ invites, putAside }: InviteToastsProps) {
  return (
    // Always there, so that a screen reader tells when an invite comes.
    <div className="toasts" role="status">
      {invites.slice(0, MAX_SHOWN).map((invite) => (
        <div key={invite.id} className="toast" data-testid="invite-toast">
          <InviteItem invite={invite} />
          <Button
            small
            look="quiet"
            className="button-icon"
            aria-label="Not now"
            onClick={() => putAside(invite.id)}
            data-testid="put-invite-aside"
          >
            <CloseIcon />
          </Button>
        </div>
      ))}
    </div>
  )
}
