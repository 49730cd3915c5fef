import { useState } from 'react'
import type { SignIn } from '../../../../src/client/index.ts'
import { errorCode } from '../../error-messages.ts'
import { useAction } from '../../hooks/use-action.ts'
import { Button, CopyButton, TextButton } from '../../ui/button.tsx'
import { CodeField, Form } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'
import { useUnkeptCodesStore } from '../../unkept-codes.ts'
import { type AskPasskey, usePasskeyQuestion } from './passkey-question.ts'
import { PasskeyPanel } from './passkey-steps.tsx'

/** What `rally.signIn` answers for a free name. */
export type Enrolment = Extract<SignIn, { status: 'candidate' }>

interface EnrolStepProps {
  readonly username: string
  readonly challenge: Enrolment
  readonly onBack: () => void
}

/** A new name: an authenticator app learns its secret, and a first code proves it. */
export function EnrolStep({ username, challenge, onBack }: EnrolStepProps) {
  const unkept = useUnkeptCodesStore()
  const { code, setCode, attempts, verify, question } = useCode((code, passkey) =>
    challenge.verify(code, {
      passkey,
      onRecoveryCodes: (codes, user) =>
        unkept.set({ userId: user.id, username: user.username, codes, isRenewal: false }),
    }),
  )
  const mustRestart = ['NO_CHALLENGE', 'USERNAME_TAKEN', 'INVALID_PASSKEY'].includes(errorCode(verify.error) ?? '')
  if (question) return <PasskeyPanel question={question} onBack={onBack} />
  return (
    <Form onSubmit={() => verify.run()}>
      <div>
        <h2>Hello, {username}</h2>
        <p className="soft small">
          The name is free. Scan this with an authenticator app (such as Aegis, 2FAS or Google Authenticator), then type
          the code that it shows.
        </p>
      </div>
      <Secret qrCode={challenge.qrCode} secret={challenge.secret} />
      {/* Not at first: on a phone the keyboard would hide the QR code. */}
      <CodeField key={attempts} value={code} onChange={setCode} autoFocus={attempts > 0} />
      <ErrorNotice error={verify.error}>
        {mustRestart && (
          <>
            {' '}
            <TextButton onClick={onBack}>Start again</TextButton>
          </>
        )}
      </ErrorNotice>
      <Button type="submit" look="primary" wide busy={verify.busy} data-testid="submit-code">
        Register
      </Button>
      <TextButton className="small" onClick={onBack}>
        Another name
      </TextButton>
    </Form>
  )
}

/**
 * The code that the user types, and the passkey that may have to follow. A failed attempt empties the field; `attempts` is its
 * key, so that it takes the focus again.
 */
export function useCode(send: (code: string, passkey: AskPasskey) => Promise<unknown>) {
  const { question, withPasskey } = usePasskeyQuestion()
  const [code, setCode] = useState('')
  const [attempts, setAttempts] = useState(0)
  const verify = useAction(async () => {
    try {
      await withPasskey((passkey) => send(code, passkey))
    } catch (error) {
      setCode('')
      setAttempts((before) => before + 1)
      throw error
    }
  })
  return { code, setCode, attempts, verify, question }
}

/** The secret of an authenticator app: to scan, or to type where there is no camera. */
export function Secret({ qrCode, secret }: { qrCode?: string | undefined; secret?: string | undefined }) {
  if (!secret) return null
  return (
    <div className="row">
      {qrCode && (
        <img
          className="qr"
          src={qrCode}
          width={180}
          height={180}
          alt="QR code with the secret for your authenticator"
        />
      )}
      <div className="stack-tight enrol-text">
        <span className="small soft">No camera? Type this key into the app:</span>
        <code className="secret" data-testid="totp-secret" data-secret={secret}>
          {secret.match(/.{1,4}/g)?.map((group, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the groups of one secret never move
            <span key={index}>{group}</span>
          ))}
        </code>
        <CopyButton text={secret} what="key" />
      </div>
    </div>
  )
}
