import type { RallyError } from '../../../src/client/index.ts'
import { ReloadButton } from '../ui/button.tsx'
import { ErrorNotice, Notice } from '../ui/notice.tsx'

/** Why a match cannot be followed. A page that is older than the server's rules has to be loaded again. */
export function PlayError({ error }: { error: RallyError | null }) {
  if (error?.code !== 'WRONG_GAME') return <ErrorNotice error={error} />
  return (
    <Notice look="warn">
      The rules of this game have changed since this page was loaded. <ReloadButton />
    </Notice>
  )
}
