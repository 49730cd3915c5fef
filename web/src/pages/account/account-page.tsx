import { useAction } from '../../hooks/use-action.ts'
import { useRally, useUser } from '../../rally.ts'
import { navigate, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { LeaveIcon } from '../../ui/icons.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'
import { Page } from '../../ui/page.tsx'
import { Rotate } from './rotate.tsx'
import { Sessions } from './sessions.tsx'

export function AccountPage() {
  const rally = useRally()
  const user = useUser()
  const signOut = useAction(async () => {
    await rally.signOut()
    navigate(paths.lobby)
  })
  if (!user) return null
  return (
    <Page
      title="Account"
      fit="narrow"
      aside={
        <Button small busy={signOut.busy} onClick={() => signOut.run()} data-testid="sign-out">
          <LeaveIcon />
          Sign out
        </Button>
      }
    >
      <div className="stack">
        <p className="soft">
          Signed in as <strong className="account-name">{user.username}</strong>
        </p>
        <ErrorNotice error={signOut.error} />
        <Sessions />
        <Rotate user={user} />
      </div>
    </Page>
  )
}
