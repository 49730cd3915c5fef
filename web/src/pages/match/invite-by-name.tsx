import { useState } from 'react'
import type { Match } from '../../../../src/modules/matches/types.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { Button } from '../../ui/button.tsx'
import { Field, Form } from '../../ui/field.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'

const WORDS = {
  NOT_FOUND: 'There is no player of that name.',
  VALIDATION_FAILED: 'A username has 3 to 20 letters, digits and underscores.',
  ALREADY_SEATED: 'That player is in this match already.',
  INVITE_DECLINED: 'That player has declined to come to this match.',
  TOO_MANY_INVITES: 'That player has too many open invites. Try again in two minutes.',
}

/** Asks somebody by their username to come to the match. */
export function InviteByName({ match }: { match: Match }) {
  const rally = useRally()
  const [username, setUsername] = useState('')
  const [invited, setInvited] = useState<string | null>(null)
  const invite = useAction(async (call) => {
    setInvited(null)
    await rally.matches.invite({ matchId: match.id, username: username.trim().toLowerCase() }, call)
    setInvited(username.trim())
    setUsername('')
  })
  return (
    <Form onSubmit={() => invite.run()}>
      <Field
        label="Or invite somebody by username"
        value={username}
        onChange={(event) => setUsername(event.target.value)}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        maxLength={20}
        required
        data-testid="invite-name"
        beside={
          <Button type="submit" busy={invite.busy} data-testid="send-invite">
            Invite
          </Button>
        }
      />
      <p role="status" className="small soft" data-testid="invited">
        {invited && `${invited} is asked to come, for two minutes.`}
      </p>
      <ErrorNotice error={invite.error} words={WORDS} />
    </Form>
  )
}
