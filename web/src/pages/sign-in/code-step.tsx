import { useState } from 'react'
import type { SignIn } from '../../../../src/client/index.ts'
import { useAction } from '../../hooks/use-action.ts'
import { Button } from '../../ui/button.tsx'
import { CodeField } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'

const WORDS = { RATE_LIMITED: 'Too many wrong codes for this name.' }

interface CodeStepProps {
  readonly username: string
  readonly challenge: SignIn
  readonly onBack: () => void
  readonly onLost: () => void
}

/** The code of somebody who has an account. */
export function CodeStep({ username, challenge, onBack, onLost }: CodeStepProps) {
  const [code, setCode] = useState('')
  const [attempts, setAttempts] = useState(0)
  const verify = useAction(async () => {
    try {
      await challenge.verify(code)
    } catch (error) {
      setCode('')
      setAttempts((before) => before + 1)
      throw error
    }
  })
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        verify.run()
      }}
    >
      <div>
        <h2>Welcome back, {username}</h2>
        <p className="soft small">Open your authenticator app and type the code for Rally.</p>
      </div>
      <CodeField key={attempts} value={code} onChange={setCode} autoFocus />
      <ErrorNotice error={verify.error} words={WORDS} />
      <Button type="submit" look="primary" wide busy={verify.busy} data-testid="submit-code">
        Sign in
      </Button>
      <div className="row spread small">
        <button type="button" className="text-button" onClick={onBack}>
          Another name
        </button>
        <button type="button" className="text-button" onClick={onLost} data-testid="lost-authenticator">
          Lost your authenticator?
        </button>
      </div>
    </form>
  )
}
