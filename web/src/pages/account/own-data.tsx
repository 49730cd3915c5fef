import { useState } from 'react'
import { callOverHttp } from '../../call-over-http.ts'
import { NOT_FRESH_WORDS } from '../../error-messages.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { navigate, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Field } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'

/** A file with all that is kept of the user, and the end of the account. */
export function OwnData({ username, isAdmin }: { readonly username: string; readonly isAdmin: boolean }) {
  const [isAsked, setAsked] = useState(false)
  const save = useAction(async () => {
    const exported = await callOverHttp('users.export', {})
    const url = URL.createObjectURL(new Blob([JSON.stringify(exported, null, 2)], { type: 'application/json' }))
    const link = document.createElement('a')
    link.href = url
    link.download = `rally-${username}.json`
    link.click()
    URL.revokeObjectURL(url)
  })
  return (
    <section className="card stack" aria-labelledby="own-data">
      <div>
        <h2 id="own-data">Your data</h2>
        <p className="soft small">
          {isAdmin
            ? 'An admin cannot delete the own account: another admin takes the role first.'
            : 'Save everything that this server keeps of you, or delete your account.'}
        </p>
      </div>
      <div className="row">
        <Button busy={save.busy} onClick={() => save.run()} data-testid="export">
          Save as a file
        </Button>
        {!isAdmin && (
          <Button look="danger" onClick={() => setAsked(true)} data-testid="remove-account">
            Delete the account
          </Button>
        )}
      </div>
      <ErrorNotice error={save.error} />
      {isAsked && <RemoveDialog username={username} onClose={() => setAsked(false)} />}
    </section>
  )
}

function RemoveDialog({ username, onClose }: { readonly username: string; readonly onClose: () => void }) {
  const rally = useRally()
  const [typed, setTyped] = useState('')
  const remove = useAction(async () => {
    // Without the signal of the action: it is done, whatever is shown by then.
    await rally.users.remove({})
    navigate(paths.lobby)
  })
  return (
    <Dialog
      title="Delete your account?"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Keep it</Button>
          <Button
            look="danger"
            disabled={typed.trim().toLowerCase() !== username}
            busy={remove.busy}
            onClick={() => remove.run()}
            data-testid="confirm-removal"
          >
            Delete it for good
          </Button>
        </>
      }
    >
      <p>
        Your profile, ratings, scores, tokens and saved games are deleted at once, and nobody can bring them back.
        Matches stay for those who played with you, without your name.
      </p>
      <Field
        label="Type your username"
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        data-testid="removed-name"
      />
      <ErrorNotice error={remove.error} words={NOT_FRESH_WORDS} />
    </Dialog>
  )
}
