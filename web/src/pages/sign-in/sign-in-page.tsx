import { useEffect, useState } from 'react'
import type { SignIn } from '../../../../src/client/index.ts'
import { Notice } from '../../ui/notice.tsx'
import { Demo } from './demo-match.tsx'
import { type Enrolment, EnrolStep } from './enrol-step.tsx'
import { CodeStep, NameStep, RecoverStep } from './sign-in-steps.tsx'

type Step =
  | { readonly name: 'username' }
  | { readonly name: 'code'; readonly username: string; readonly challenge: SignIn }
  | { readonly name: 'enrol'; readonly username: string; readonly challenge: Enrolment }
  | { readonly name: 'recover'; readonly username: string }

interface SignInPageProps {
  /** Why to sign in, in a sentence; null for no special reason. */
  readonly intent: string | null
}

/** Signing in and registering start with a name; whether it is new decides what comes next. */
export function SignInPage({ intent }: SignInPageProps) {
  const [step, setStep] = useState<Step>({ name: 'username' })
  const [username, setUsername] = useState('')

  useEffect(() => {
    document.title = 'Rally'
  }, [])

  const restart = () => setStep({ name: 'username' })

  const panel = () => {
    switch (step.name) {
      case 'username':
        return (
          <NameStep
            username={username}
            onUsername={setUsername}
            onBegun={(challenge) => {
              if (challenge.status === 'candidate') setStep({ name: 'enrol', username, challenge })
              else setStep({ name: 'code', username, challenge })
            }}
          />
        )
      case 'code':
        return (
          <CodeStep
            username={step.username}
            challenge={step.challenge}
            onBack={restart}
            onLost={() => setStep({ name: 'recover', username: step.username })}
          />
        )
      case 'enrol':
        return <EnrolStep username={step.username} challenge={step.challenge} onBack={restart} />
      case 'recover':
        return <RecoverStep username={step.username} onBack={restart} />
    }
  }

  return (
    <div className="sign-in" data-step={step.name}>
      <div className="sign-in-pitch stack">
        <h1>
          <span>Two paddles.</span> <span>One link.</span> <span>Go.</span>
        </h1>
        <p className="soft">
          Live matches against friends, strangers or the bot. No password: you need a name and the authenticator app on
          your phone.
        </p>
        <Demo />
      </div>
      <section className="card sign-in-card" aria-label="Sign in">
        <div className="stack">
          {intent && step.name === 'username' && <Notice>{intent}</Notice>}
          {panel()}
        </div>
      </section>
    </div>
  )
}
