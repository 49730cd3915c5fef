import { useState } from 'react'
import { useAction } from '../../hooks/use-action.ts'
import { useRally, useUser } from '../../rally.ts'
import { navigate, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { Field, Form } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'
import { Page } from '../../ui/page.tsx'
import { MatchLists } from './match-lists.tsx'
import { PlayNow } from './play-now.tsx'
import { StartMatch } from './start-match.tsx'

export function LobbyPage() {
  const user = useUser()
  if (!user) return null
  return (
    <Page title="Lobby">
      <PlayNow />
      <div className="lobby">
        <div className="stack lobby-start">
          <StartMatch />
          <JoinByCode />
        </div>
        <MatchLists userId={user.id} />
      </div>
    </Page>
  )
}

const WORDS = {
  NOT_FOUND: 'No match with that code is waiting. Check it, or ask for a new one.',
  VALIDATION_FAILED: 'A code has six letters and digits, without 0, 1, I and O.',
}

function JoinByCode() {
  const rally = useRally()
  const [code, setCode] = useState('')
  const join = useAction(async (call) => {
    const { id } = await rally.matches.join({ code }, call)
    navigate(paths.match(id))
  })
  return (
    <section className="card" aria-labelledby="join-by-code">
      <Form onSubmit={() => join.run()}>
        <h2 id="join-by-code">Got a code?</h2>
        <Field
          label="Code of the match"
          className="mono input-join"
          value={code}
          onChange={(event) => setCode(event.target.value.replace(/\s/g, '').toUpperCase())}
          placeholder="K7QX2M"
          autoComplete="off"
          autoCapitalize="characters"
          spellCheck={false}
          maxLength={6}
          required
          data-testid="join-code"
          beside={
            <Button type="submit" busy={join.busy} data-testid="submit-join">
              Join
            </Button>
          }
        />
        <ErrorNotice error={join.error} words={WORDS} />
      </Form>
    </section>
  )
}
