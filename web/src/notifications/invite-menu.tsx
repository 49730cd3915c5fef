import type { Invite } from '../../../src/modules/matches/types.ts'
import { usePopup } from '../hooks/use-popup.ts'
import { Button } from '../ui/button.tsx'
import { BellIcon } from '../ui/icons.tsx'
import { InviteItem } from './invite-item.tsx'

/** A bell with the number of open invites, and the list of them. */
export function InviteMenu({ invites }: { invites: readonly Invite[] }) {
  const { isOpen, place, button, toggle, close } = usePopup()
  const count = invites.length
  return (
    <div ref={place} className="popup-place">
      <Button
        ref={button}
        look="quiet"
        className="button-icon"
        aria-expanded={isOpen}
        aria-label={count === 0 ? 'Invites' : `Invites: ${count}`}
        onClick={toggle}
        data-testid="invites"
        data-count={count}
      >
        <BellIcon />
        {count > 0 && (
          <span className="bell-count numbers" aria-hidden="true">
            {count}
          </span>
        )}
      </Button>
      {isOpen && (
        <div className="popup popup-invites stack">
          {count === 0 && <p className="soft">Nobody has invited you right now.</p>}
          {invites.map((invite) => (
            <InviteItem key={invite.id} invite={invite} onAnswered={close} />
          ))}
        </div>
      )}
    </div>
  )
}
