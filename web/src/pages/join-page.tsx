import { useEffect, useState } from 'react'
import { useRally } from '../rally.ts'
import { Link, navigate, paths } from '../router.tsx'
import { ErrorNotice, Loading } from '../ui/notice.tsx'
import { Page } from '../ui/page.tsx'

const WORDS = {
  NOT_FOUND: 'No match waits under that code. It may have begun already, or been closed.',
  VALIDATION_FAILED: 'That is no code. A code has six letters and digits.',
}

/** Where a shared link leads: takes a seat and goes on to the match. */
export function JoinPage({ code }: { code: string }) {
  const rally = useRally()
  const [error, setError] = useState<unknown>(null)
  useEffect(() => {
    const stop = new AbortController()
    rally.matches.join({ code }, { signal: stop.signal }).then(
      (match) => {
        if (!stop.signal.aborted) navigate(paths.match(match.id), { replace: true })
      },
      (reason: unknown) => {
        if (!stop.signal.aborted) setError(reason)
      },
    )
    return () => stop.abort()
  }, [rally, code])

  if (error === null) return <Loading>Joining the match…</Loading>
  return (
    <Page title="Could not join" fit="narrow">
      <div className="stack">
        <ErrorNotice error={error} words={WORDS} />
        <div>
          <Link className="button" href={paths.lobby}>
            To the lobby
          </Link>
        </div>
      </div>
    </Page>
  )
}
