import { useState } from 'react'
import type { Rotated } from '../../../../src/modules/auth/types.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { Button } from '../../ui/button.tsx'
import { CodeField } from '../../ui/field.tsx'
import { ErrorNotice, Notice } from '../../ui/notice.tsx'
import { RecoveryCodes } from '../sign-in/recovery-codes.tsx'
import { Secret } from '../sign-in/secret.tsx'

type Candidate = Extract<Rotated, { status: 'candidate' }>

type Step =
  | { readonly name: 'idle' | 'done' }
  | { readonly name: 'enrol'; readonly candidate: Candidate }
  | { readonly name: 'codes'; readonly codes: readonly string[] }

const WORDS = {
  FORBIDDEN: 'This can be done within ten minutes of signing in. Sign out, sign in again, and come back here.',
}

/** Moves the account to another authenticator: a new secret, a first code of it, new recovery codes. */
export function Rotate({ username }: { username: string }) {
  const rally = useRally()
  const [step, setStep] = useState<Step>({ name: 'idle' })

  const begin = useAction(async () => {
    const answer = await rally.auth.rotateTotp({})
    if (answer.status === 'candidate') setStep({ name: 'enrol', candidate: answer })
  })
  const commit = useAction(async (code: string) => {
    const answer = await rally.auth.rotateTotp({ code })
    if (answer.status === 'rotated') setStep({ name: 'codes', codes: answer.recoveryCodes })
  })

  const panel = () => {
    switch (step.name) {
      case 'idle':
      case 'done':
        return (
          <>
            {step.name === 'done' && <Notice>The new authenticator is in force. All other sessions have ended.</Notice>}
            <div>
              <Button busy={begin.busy} onClick={() => begin.run()} data-testid="rotate">
                Set up a new authenticator
              </Button>
            </div>
            <ErrorNotice error={begin.error} words={WORDS} />
          </>
        )
      case 'enrol':
        return (
          <>
            <Secret qrCode={step.candidate.qrCode} secret={step.candidate.secret} />
            <CodeForm
              key="enrol"
              label="Code from the new authenticator"
              submit="Use the new one"
              busy={commit.busy}
              error={commit.error}
              onCode={(code) => commit.run(code)}
              onCancel={() => {
                commit.clear()
                setStep({ name: 'idle' })
              }}
            />
          </>
        )
      case 'codes':
        return <RecoveryCodes username={username} codes={step.codes} onDone={() => setStep({ name: 'done' })} />
    }
  }

  return (
    <section className="card stack" aria-labelledby="rotate">
      <div>
        <h2 id="rotate">Authenticator</h2>
        <p className="soft small">
          A new phone, or a doubt? Set up another authenticator. The old one and the old recovery codes stop working,
          and you are signed out everywhere else.
        </p>
      </div>
      {panel()}
    </section>
  )
}

interface CodeFormProps {
  readonly label: string
  readonly submit: string
  readonly busy: boolean
  readonly error: unknown
  readonly onCode: (code: string) => void
  readonly onCancel: () => void
}

function CodeForm({ label, submit, busy, error, onCode, onCancel }: CodeFormProps) {
  const [code, setCode] = useState('')
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        onCode(code)
      }}
    >
      <CodeField label={label} value={code} onChange={setCode} />
      <ErrorNotice error={error} />
      <div className="row">
        <Button type="submit" look="primary" busy={busy}>
          {submit}
        </Button>
        <Button look="quiet" onClick={onCancel}>
          Cancel
        </Button>
      </div>
    </form>
  )
}
