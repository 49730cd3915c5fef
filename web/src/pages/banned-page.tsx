import { useAction } from '../hooks/use-action.ts'
import { useRally } from '../rally.ts'
import { navigate, paths } from '../router.tsx'
import { Button } from '../ui/button.tsx'
import { ErrorNotice, Notice } from '../ui/notice.tsx'
import { Page } from '../ui/page.tsx'

/** All that a banned user sees. `reason` is what the server says. */
export function BannedPage({ reason }: { reason: string }) {
  const rally = useRally()
  const leave = useAction(async () => {
    await rally.signOut()
    navigate(paths.lobby)
  })
  return (
    <Page title="No entry" fit="narrow">
      <div className="stack" data-testid="banned">
        <Notice look="error">{reason}.</Notice>
        <p className="soft">If that is a mistake, talk to the people who run this server.</p>
        <ErrorNotice error={leave.error} />
        <div>
          <Button busy={leave.busy} onClick={() => leave.run()} data-testid="leave-banned">
            Use another account
          </Button>
        </div>
      </div>
    </Page>
  )
}
