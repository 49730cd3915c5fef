import { useCallback, useEffect } from 'react'
import { type OwnCall, useAction } from '../hooks/use-action.ts'
import { useRally } from '../rally.ts'
import { navigate, paths } from '../router.tsx'
import { ErrorNotice, Loading } from '../ui/notice.tsx'
import { MessagePage } from '../ui/page.tsx'

const WORDS = {
  NOT_FOUND: 'No match with that code is waiting. It may have begun already, or been closed.',
  VALIDATION_FAILED: 'That is no code. A code has six letters and digits.',
}

/** Where a shared link leads: takes a seat and goes on to the match. */
export function JoinPage({ code }: { code: string }) {
  const rally = useRally()
  const join = useCallback(
    async ({ signal }: OwnCall) => {
      const { id } = await rally.matches.join({ code }, { signal })
      if (!signal.aborted) navigate(paths.match(id), { replace: true })
    },
    [rally, code],
  )
  const { run, error } = useAction(join)
  useEffect(() => run(), [run])

  if (error === null) return <Loading>Joining the match…</Loading>
  return (
    <MessagePage title="Could not join">
      <ErrorNotice error={error} words={WORDS} />
    </MessagePage>
  )
}
