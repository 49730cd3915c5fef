import { useState } from 'react'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'

const WORDS = {
  INVALID_CODE: 'That recovery code is not right, or it was used before.',
  RATE_LIMITED: 'Too many attempts from your network.',
}

/** The way in without the authenticator: one of the codes kept at registration, which it uses up. */
export function RecoverStep({ username, onBack }: { username: string; onBack: () => void }) {
  const rally = useRally()
  const [code, setCode] = useState('')
  const recover = useAction(async () => {
    await rally.recover(username, code.trim())
  })
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        recover.run()
      }}
    >
      <div>
        <h2>Sign in as {username} with a recovery code</h2>
        <p className="soft small">
          You kept ten of them when you registered. Each works once. Afterwards, set up a new authenticator on your
          account page.
        </p>
      </div>
      <Field
        label="Recovery code"
        value={code}
        onChange={(event) => setCode(event.target.value)}
        className="mono"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
        required
        maxLength={64}
        data-testid="recovery-code"
      />
      <ErrorNotice error={recover.error} words={WORDS} />
      <Button type="submit" look="primary" wide busy={recover.busy} data-testid="submit-recovery">
        Sign in
      </Button>
      <button type="button" className="text-button small" onClick={onBack}>
        Back
      </button>
    </form>
  )
}
