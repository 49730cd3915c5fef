import { useState } from 'react'
import type { UserDetails } from '../../../../src/modules/admin/types.ts'
import { NOT_FRESH_WORDS } from '../../error-messages.ts'
import { useRally } from '../../rally.ts'
import { Button, CopyButton } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Notice } from '../../ui/notice.tsx'
import { ConfirmDialog, ReasonField } from './confirm-dialog.tsx'

interface UserActsProps {
  readonly user: UserDetails
  /** Called after each act. */
  readonly onDone: () => void
}

type Asking = 'ban' | 'unban' | 'endSessions' | 'reset' | 'role' | null

/** What an admin can do to a user. Each act asks first. */
export function UserActs({ user, onDone }: UserActsProps) {
  const rally = useRally()
  const [asking, setAsking] = useState<Asking>(null)
  const [recoveryCode, setRecoveryCode] = useState<string | null>(null)
  const { id: userId, username } = user
  const nextRole = user.role === 'admin' ? 'player' : 'admin'
  const close = () => setAsking(null)
  const done = () => {
    close()
    onDone()
  }
  return (
    <div className="row admin-acts">
      {user.ban ? (
        <Button small onClick={() => setAsking('unban')} data-testid="act-unban">
          Lift the ban
        </Button>
      ) : (
        <Button small look="danger" onClick={() => setAsking('ban')} data-testid="act-ban">
          Ban
        </Button>
      )}
      <Button small onClick={() => setAsking('endSessions')} data-testid="act-end-sessions">
        End sessions
      </Button>
      <Button small onClick={() => setAsking('reset')} data-testid="act-reset">
        Reset authenticator
      </Button>
      <Button small onClick={() => setAsking('role')} data-testid="act-role">
        {nextRole === 'admin' ? 'Make an admin' : 'Take the admin role'}
      </Button>

      {asking === 'ban' && <BanDialog user={user} onClose={close} onDone={done} />}
      {asking === 'unban' && (
        <ConfirmDialog
          title={`Lift the ban of ${username}?`}
          act="Lift the ban"
          onClose={close}
          run={async (call) => {
            await rally.admin.unban({ userId }, call)
            done()
          }}
        >
          <p>They can sign in again at once.</p>
        </ConfirmDialog>
      )}
      {asking === 'endSessions' && (
        <ConfirmDialog
          title={`Sign ${username} out everywhere?`}
          act="End all sessions"
          onClose={close}
          run={async (call) => {
            await rally.admin.endSessions({ userId }, call)
            done()
          }}
        >
          <p>All sessions end, and they may sign in again.</p>
        </ConfirmDialog>
      )}
      {asking === 'reset' && (
        <ConfirmDialog
          title={`Reset the authenticator of ${username}?`}
          act="Reset it"
          words={NOT_FRESH_WORDS}
          onClose={close}
          run={async (call) => {
            const answer = await rally.admin.resetAuthenticator({ userId }, call)
            setRecoveryCode(answer.recoveryCode)
            done()
          }}
        >
          <p>
            Authenticator, passkeys and recovery codes stop working, and all sessions end. You get one code to hand
            over. Make sure that you know who asks for it: whoever has the code has the account.
          </p>
        </ConfirmDialog>
      )}
      {asking === 'role' && (
        <ConfirmDialog
          title={nextRole === 'admin' ? `Make ${username} an admin?` : `Take the admin role from ${username}?`}
          act={nextRole === 'admin' ? 'Make an admin' : 'Take the role'}
          words={NOT_FRESH_WORDS}
          onClose={close}
          run={async (call) => {
            await rally.admin.setRole({ userId, role: nextRole }, call)
            done()
          }}
        >
          <p>{nextRole === 'admin' ? 'Admins can do all that you can do here.' : 'They stay a player.'}</p>
        </ConfirmDialog>
      )}
      {recoveryCode !== null && (
        <Dialog
          title={`A code for ${username}`}
          onClose={() => setRecoveryCode(null)}
          actions={
            <>
              <CopyButton text={recoveryCode} what="code" />
              <Button onClick={() => setRecoveryCode(null)} data-testid="code-handed-over">
                Done
              </Button>
            </>
          }
        >
          <p className="secret" data-testid="handed-code">
            {recoveryCode}
          </p>
          <Notice>
            It is shown this once. With it they sign in under “Lost your authenticator?”, and set up a new one on their
            account page.
          </Notice>
        </Dialog>
      )}
    </div>
  )
}

const DAY = 24 * 60 * 60_000
const LENGTHS = [
  { value: '', label: 'Until it is lifted' },
  { value: String(DAY), label: 'One day' },
  { value: String(7 * DAY), label: 'One week' },
  { value: String(30 * DAY), label: '30 days' },
]

function BanDialog({ user, onClose, onDone }: UserActsProps & { readonly onClose: () => void }) {
  const rally = useRally()
  const [reason, setReason] = useState('')
  const [length, setLength] = useState('')
  return (
    <ConfirmDialog
      title={`Ban ${user.username}?`}
      act="Ban"
      isReady={reason.trim() !== ''}
      onClose={onClose}
      run={async (call) => {
        const until = length === '' ? {} : { until: Date.now() + Number(length) }
        await rally.admin.ban({ userId: user.id, reason, ...until }, call)
        onDone()
      }}
    >
      <p>They are signed out within a second, leave their matches, and cannot sign in. They read the reason.</p>
      <ReasonField value={reason} onChange={setReason} />
      <div className="field">
        <label htmlFor="ban-length">For how long</label>
        <select id="ban-length" className="input" value={length} onChange={(event) => setLength(event.target.value)}>
          {LENGTHS.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </div>
    </ConfirmDialog>
  )
}
