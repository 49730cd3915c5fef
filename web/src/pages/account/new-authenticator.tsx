import { useState } from 'react'
import type { Rotated } from '../../../../src/modules/auth/types.ts'
import { NOT_FRESH_WORDS } from '../../error-messages.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally, type useUser } from '../../rally.ts'
import { Button } from '../../ui/button.tsx'
import { CodeField, Form } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'
import { useUnkeptCodesStore } from '../../unkept-codes.ts'
import { Secret } from '../sign-in/enrol-step.tsx'

type Candidate = Extract<Rotated, { status: 'candidate' }>

/** Moves the account to another authenticator: a new secret, a first code of it, new recovery codes. */
export function Rotate({ user }: { user: NonNullable<ReturnType<typeof useUser>> }) {
  const rally = useRally()
  const unkept = useUnkeptCodesStore()
  const [candidate, setCandidate] = useState<Candidate | null>(null)

  const [code, setCode] = useState('')

  const begin = useAction(async (call) => {
    const answer = await rally.auth.rotateTotp({}, call)
    if (answer.status === 'candidate') setCandidate(answer)
  })
  // Without the signal of the action: the answer has the only copy of the new codes, whatever is shown by then.
  const commit = useAction(async (_, code: string) => {
    const answer = await rally.auth.rotateTotp({ code })
    if (answer.status !== 'rotated') return
    unkept.set({ userId: user.id, username: user.username, codes: answer.recoveryCodes, isRenewal: true })
  })
  const cancel = () => {
    commit.clear()
    setCode('')
    setCandidate(null)
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
      {candidate ? (
        <>
          <Secret qrCode={candidate.qrCode} secret={candidate.secret} />
          <Form onSubmit={() => commit.run(code)}>
            <CodeField label="Code from the new authenticator" value={code} onChange={setCode} />
            <ErrorNotice error={commit.error} />
            <div className="row">
              <Button type="submit" look="primary" busy={commit.busy}>
                Use the new one
              </Button>
              <Button look="quiet" onClick={cancel}>
                Cancel
              </Button>
            </div>
          </Form>
        </>
      ) : (
        <>
          <div>
            <Button busy={begin.busy} onClick={() => begin.run()} data-testid="rotate">
              Set up a new authenticator
            </Button>
          </div>
          <ErrorNotice error={begin.error} words={NOT_FRESH_WORDS} />
        </>
      )}
    </section>
  )
}
