import { useCallback, useEffect, useState } from 'react'
import type { SessionInfo } from '../../../../src/modules/auth/types.ts'
import { ago, browserName, exactTime } from '../../format.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useNow } from '../../hooks/use-now.ts'
import { useRally, useUser } from '../../rally.ts'
import { navigate, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { LeaveIcon } from '../../ui/icons.tsx'
import { ErrorNotice, Loading } from '../../ui/notice.tsx'
import { Page } from '../../ui/page.tsx'
import { Rotate } from './new-authenticator.tsx'

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

interface Loaded {
  readonly items: readonly SessionInfo[]
  readonly nextCursor: string | undefined
}

/** Where the user is signed in, each to be ended from here. */
export function Sessions() {
  const rally = useRally()
  const [loaded, setLoaded] = useState<Loaded | null>(null)
  const now = useNow(30_000)
  const load = useAction(
    useCallback(
      async ({ signal }, cursor?: string) => {
        const { items, nextCursor } = await rally.auth.sessions(cursor ? { cursor } : {}, { signal })
        setLoaded((before) => ({ items: cursor && before ? [...before.items, ...items] : items, nextCursor }))
      },
      [rally],
    ),
  )
  const { run } = load
  useEffect(() => run(), [run])
  const forget = (id: SessionInfo['id']) =>
    setLoaded((before) => before && { ...before, items: before.items.filter((session) => session.id !== id) })

  return (
    <section className="card stack" aria-labelledby="sessions">
      <div>
        <h2 id="sessions">Where you are signed in</h2>
        <p className="soft small">End the ones that you do not know or no longer use.</p>
      </div>
      <ErrorNotice error={load.error}>
        {' '}
        <button type="button" className="text-button" onClick={() => run()}>
          Try again
        </button>
      </ErrorNotice>
      {!loaded && load.busy && <Loading>Fetching your sessions…</Loading>}
      {loaded && (
        <ul className="list list-inset" data-testid="sessions-list">
          {loaded.items.map((session) => (
            <SessionRow key={session.id} session={session} now={now} onEnded={() => forget(session.id)} />
          ))}
        </ul>
      )}
      {loaded?.nextCursor && (
        <Button busy={load.busy} onClick={() => run(loaded.nextCursor)}>
          Show older ones
        </Button>
      )}
    </section>
  )
}

function SessionRow({ session, now, onEnded }: { session: SessionInfo; now: number; onEnded: () => void }) {
  const rally = useRally()
  const revoke = useAction(async (call) => {
    await rally.auth.revoke({ sessionId: session.id }, call)
    onEnded()
  })
  const name = browserName(session.userAgent)
  return (
    <li className="list-item" data-session={session.id}>
      <div className="list-text">
        <strong>
          {name} {session.current && <span className="tag tag-accent">This browser</span>}
        </strong>
        <span className="small soft">
          {session.ip} · seen{' '}
          <time dateTime={new Date(session.lastSeenAt).toISOString()} title={exactTime(session.lastSeenAt)}>
            {ago(session.lastSeenAt, now)}
          </time>
        </span>
      </div>
      {!session.current && (
        <Button small look="danger" busy={revoke.busy} onClick={() => revoke.run()} data-testid="revoke">
          End<span className="hidden-visually"> the session of {name}</span>
        </Button>
      )}
      <ErrorNotice error={revoke.error} />
    </li>
  )
}
