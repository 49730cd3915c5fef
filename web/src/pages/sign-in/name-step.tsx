import type { SignIn } from '../../../../src/client/index.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { Button } from '../../ui/button.tsx'
import { Field } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'

interface NameStepProps {
  readonly username: string
  readonly onUsername: (username: string) => void
  readonly onBegun: (challenge: SignIn) => void
}

export function NameStep({ username, onUsername, onBegun }: NameStepProps) {
  const rally = useRally()
  const begin = useAction(async () => onBegun(await rally.signIn(username)))
  return (
    <form
      className="stack"
      onSubmit={(event) => {
        event.preventDefault()
        begin.run()
      }}
    >
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
    </form>
  )
}
