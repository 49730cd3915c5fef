import { useState } from 'react'
import type { SignIn } from '../../../../src/client/index.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { Button, TextButton } from '../../ui/button.tsx'
import { CodeField, Field, Form } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'
import { useCode } from './enrol-step.tsx'
import { usePasskeyQuestion } from './passkey-question.ts'
import { PasskeyPanel, RECOVERY_WORDS, RecoveryCodeField } from './passkey-steps.tsx'

interface NameStepProps {
  readonly username: string
  readonly onUsername: (username: string) => void
  readonly onBegun: (challenge: SignIn) => void
}

export function NameStep({ username, onUsername, onBegun }: NameStepProps) {
  const rally = useRally()
  const begin = useAction(async () => onBegun(await rally.signIn(username)))
  return (
    <Form onSubmit={() => begin.run()}>
      <div>
        <h2>Sign in or register</h2>
        <p className="soft small">A name that is new becomes yours.</p>
      </div>
      <Field
        label="Username"
        hint="3 to 20 letters, digits or underscores"
        value={username}
        onChange={(event) => onUsername(event.target.value.trim())}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        autoFocus
        required
        minLength={3}
        maxLength={20}
        pattern="[A-Za-z0-9_]+"
        title="letters, digits and _"
        data-testid="username"
      />
      <ErrorNotice error={begin.error} />
      <Button type="submit" look="primary" wide busy={begin.busy} data-testid="submit-username">
        Continue
      </Button>
    </Form>
  )
}

const CODE_WORDS = { RATE_LIMITED: 'Too many wrong codes for this name.' }

interface CodeStepProps {
  readonly username: string
  readonly challenge: SignIn
  readonly onBack: () => void
  readonly onLost: () => void
}

/** For a user who has an account: the code. */
export function CodeStep({ username, challenge, onBack, onLost }: CodeStepProps) {
  const { code, setCode, attempts, verify, question } = useCode((code, passkey) => challenge.verify(code, { passkey }))
  if (question) return <PasskeyPanel question={question} onBack={onBack} />
  return (
    <Form onSubmit={() => verify.run()}>
      <div>
        <h2>Welcome back, {username}</h2>
        <p className="soft small">Open your authenticator app and type the code for Rally.</p>
      </div>
      <CodeField key={attempts} value={code} onChange={setCode} autoFocus />
      <ErrorNotice error={verify.error} words={CODE_WORDS} />
      <Button type="submit" look="primary" wide busy={verify.busy} data-testid="submit-code">
        Sign in
      </Button>
      <div className="row spread small">
        <TextButton onClick={onBack}>Another name</TextButton>
        <TextButton onClick={onLost} data-testid="lost-authenticator">
          Lost your authenticator?
        </TextButton>
      </div>
    </Form>
  )
}

/** Signs in without the authenticator, by one of the codes that were kept at registration. Each works once. */
export function RecoverStep({ username, onBack }: { username: string; onBack: () => void }) {
  const rally = useRally()
  const [code, setCode] = useState('')
  const { question, withPasskey } = usePasskeyQuestion()
  const recover = useAction(() => withPasskey((passkey) => rally.recover(username, code.trim(), { passkey })))
  if (question) return <PasskeyPanel question={question} onBack={onBack} />
  return (
    <Form onSubmit={() => recover.run()}>
      <div>
        <h2>Sign in as {username} with a recovery code</h2>
        <p className="soft small">
          You kept ten of them when you registered. Each works once. Afterwards, set up a new authenticator on your
          account page.
        </p>
      </div>
      <RecoveryCodeField value={code} onChange={setCode} />
      <ErrorNotice error={recover.error} words={RECOVERY_WORDS} />
      <Button type="submit" look="primary" wide busy={recover.busy} data-testid="submit-recovery">
        Sign in
      </Button>
      <TextButton className="small" onClick={onBack}>
        Back
      </TextButton>
    </Form>
  )
}
