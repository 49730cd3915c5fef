import { type ReactNode, useState } from 'react'
import {
  createPasskey,
  hasPasskeys,
  type PasskeyCreation,
  type PasskeyRequest,
  type PasskeyStep,
  signWithPasskey,
} from '../../../../src/client/index.ts'
import { browserName } from '../../format.ts'
import { useAction } from '../../hooks/use-action.ts'
import { Button, TextButton } from '../../ui/button.tsx'
import { Field, Form } from '../../ui/field.tsx'
import { ErrorNotice, Notice } from '../../ui/notice.tsx'
import type { PasskeyQuestion } from './passkey-question.ts'

interface PasskeyPanelProps {
  readonly question: PasskeyQuestion
  readonly onBack: () => void
}

/** After the code: one of the user's passkeys, a new one, or a recovery code in place of a lost one. */
export function PasskeyPanel({ question, onBack }: PasskeyPanelProps) {
  const [isLost, setLost] = useState(false)
  const [renewal, setRenewal] = useState<PasskeyStep | null>(null)
  const step = renewal ?? question.step
  const back = <TextButton onClick={onBack}>Start again</TextButton>

  if (!hasPasskeys()) {
    return (
      <div className="stack" data-testid="no-passkeys">
        <h2>This takes a passkey</h2>
        <Notice look="warn">This browser has none. Sign in with a current Chrome, Edge, Firefox or Safari.</Notice>
        <div className="small">{back}</div>
      </div>
    )
  }
  if (step.status === 'newPasskey') {
    return <NewPasskey creation={step.creation} isRenewal={renewal !== null} question={question} back={back} />
  }
  if (isLost) return <LostPasskey step={step} onRecovered={setRenewal} onBack={() => setLost(false)} />
  return <KnownPasskey request={step.request} question={question} onLost={() => setLost(true)} back={back} />
}

interface KnownPasskeyProps {
  readonly request: PasskeyRequest
  readonly question: PasskeyQuestion
  readonly onLost: () => void
  readonly back: ReactNode
}

function KnownPasskey({ request, question, onLost, back }: KnownPasskeyProps) {
  const sign = useAction(async ({ signal }) => question.answer({ credential: await signWithPasskey(request, signal) }))
  return (
    <div className="stack">
      <div>
        <h2>Now your passkey</h2>
        <p className="soft small">The code is right. Confirm with your phone, this device or your security key.</p>
      </div>
      <ErrorNotice error={sign.error} />
      <Button
        look="primary"
        wide
        autoFocus
        busy={sign.busy || question.isAnswered}
        onClick={() => sign.run()}
        data-testid="use-passkey"
      >
        Use a passkey
      </Button>
      <div className="row spread small">
        {back}
        <TextButton onClick={onLost} data-testid="lost-passkey">
          Lost your passkey?
        </TextButton>
      </div>
    </div>
  )
}

interface NewPasskeyProps {
  readonly creation: PasskeyCreation
  /** It replaces passkeys that are lost. */
  readonly isRenewal: boolean
  readonly question: PasskeyQuestion
  readonly back: ReactNode
}

function NewPasskey({ creation, isRenewal, question, back }: NewPasskeyProps) {
  const [name, setName] = useState(() => browserName(navigator.userAgent))
  const create = useAction(async ({ signal }) =>
    question.answer({ credential: await createPasskey(creation, signal), name: name.trim() }),
  )
  return (
    <Form onSubmit={() => create.run()}>
      <div>
        <h2>{isRenewal ? 'Make a new passkey' : 'Add a passkey'}</h2>
        <p className="soft small">
          {isRenewal
            ? 'It replaces the passkeys that you had, and signs you out everywhere else.'
            : 'Signing in here takes the code and a passkey. Your phone, this device or a security key keeps it for you.'}
        </p>
      </div>
      <PasskeyNameField value={name} onChange={setName} />
      <ErrorNotice error={create.error} />
      <Button
        type="submit"
        look="primary"
        wide
        autoFocus
        busy={create.busy || question.isAnswered}
        data-testid="create-passkey"
      >
        Make a passkey
      </Button>
      <div className="small">{back}</div>
    </Form>
  )
}

export function PasskeyNameField({ value, onChange }: { value: string; onChange: (name: string) => void }) {
  return (
    <Field
      label="Name of the passkey"
      hint="So that you know it again, such as “Phone” or “Blue key”"
      value={value}
      onChange={(event) => onChange(event.target.value)}
      required
      maxLength={40}
      pattern=".*\S.*"
      title="a name"
      autoComplete="off"
      data-testid="passkey-name"
    />
  )
}

interface LostPasskeyProps {
  readonly step: PasskeyStep
  readonly onRecovered: (next: PasskeyStep) => void
  readonly onBack: () => void
}

function LostPasskey({ step, onRecovered, onBack }: LostPasskeyProps) {
  const [code, setCode] = useState('')
  const recover = useAction(async () => onRecovered(await step.recover(code.trim())))
  return (
    <Form onSubmit={() => recover.run()}>
      <div>
        <h2>Without your passkey</h2>
        <p className="soft small">
          A recovery code takes its place. You then make a new passkey, and the ones that you had stop working.
        </p>
      </div>
      <RecoveryCodeField value={code} onChange={setCode} />
      <ErrorNotice error={recover.error} words={RECOVERY_WORDS} />
      <Button type="submit" look="primary" wide busy={recover.busy} data-testid="submit-recovery">
        Continue
      </Button>
      <TextButton className="small" onClick={onBack}>
        Back
      </TextButton>
    </Form>
  )
}

export const RECOVERY_WORDS = {
  INVALID_CODE: 'That recovery code is not right, or it was used before.',
  RATE_LIMITED: 'Too many attempts from your network.',
}

export function RecoveryCodeField({ value, onChange }: { value: string; onChange: (code: string) => void }) {
  return (
    <Field
      label="Recovery code"
      value={value}
      onChange={(event) => onChange(event.target.value)}
      className="mono"
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      autoFocus
      required
      maxLength={64}
      data-testid="recovery-code"
    />
  )
}
