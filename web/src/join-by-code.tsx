import { useId, useState } from 'react'
import { type OwnCall, useAction } from './hooks/use-action.ts'
import { navigate } from './router.tsx'
import { Button } from './ui/button.tsx'
import { Field, Form } from './ui/field.tsx'
import { ErrorNotice } from './ui/notice.tsx'

interface JoinByCodeProps {
  readonly label: string
  /** What the reader is told where the code leads nowhere. */
  readonly notFound: string
  /** Joins, and answers with the path of what was joined. */
  readonly join: (code: string, call: OwnCall) => Promise<string>
  readonly testIds: { readonly code: string; readonly submit: string }
}

/** A form for the six characters with which others are invited. */
export function JoinByCode({ label, notFound, join, testIds }: JoinByCodeProps) {
  const [code, setCode] = useState('')
  const title = useId()
  const joining = useAction(async (call) => navigate(await join(code, call)))
  const words = {
    NOT_FOUND: notFound,
    VALIDATION_FAILED: 'A code has six letters and digits, without 0, 1, I and O.',
  }
  return (
    <section className="card" aria-labelledby={title}>
      <Form onSubmit={() => joining.run()}>
        <h2 id={title}>Got a code?</h2>
        <Field
          label={label}
          className="mono input-join"
          value={code}
          onChange={(event) => setCode(event.target.value.replace(/\s/g, '').toUpperCase())}
          placeholder="K7QX2M"
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          maxLength={6}
          required
          data-testid={testIds.code}
          beside={
            <Button type="submit" busy={joining.busy} data-testid={testIds.submit}>
              Join
            </Button>
          }
        />
        <ErrorNotice error={joining.error} words={words} />
      </Form>
    </section>
  )
}
