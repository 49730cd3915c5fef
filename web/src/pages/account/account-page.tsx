import { useCallback } from 'react'
import type { SessionInfo, User } from '../../../../src/modules/auth/types.ts'
import { browserName, exactTime } from '../../format.ts'
import { type OwnCall, useAction } from '../../hooks/use-action.ts'
import { useRally, useUser } from '../../rally.ts'
import { Link, navigate, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { LeaveIcon } from '../../ui/icons.tsx'
import { ErrorNotice, Notice } from '../../ui/notice.tsx'
import { Page } from '../../ui/page.tsx'
import { PagedList, usePages } from '../../ui/paged-list.tsx'
import { TimeAgo } from '../../ui/time-ago.tsx'
import { Rotate } from './new-authenticator.tsx'
import { OwnData } from './own-data.tsx'
import { Passkeys } from './passkeys.tsx'
import { Tokens } from './tokens.tsx'

export function AccountPage({ account }: { account: User | null }) {
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
        <p>
          <span className="soft">Signed in as</span> <strong>{user.username}</strong> ·{' '}
          <Link href={paths.profile(user.username)}>Your profile</Link>
        </p>
        <ErrorNotice error={signOut.error} />
        {account && account.authenticatorResetAt !== null && <ResetNotice at={account.authenticatorResetAt} />}
        <Sessions />
        <Passkeys />
        <Tokens />
        <Rotate user={user} />
        <OwnData username={user.username} isAdmin={account?.role === 'admin'} />
      </div>
    </Page>
  )
}

/** Tells of an act of an admin that lets somebody else in, if that was not the user's wish. */
function ResetNotice({ at }: { at: number }) {
  return (
    <Notice look="warn">
      An admin reset your authenticator on {exactTime(at)}. Set up a new one below, if you have not yet. If you did not
      ask for that, tell the people who run this server.
    </Notice>
  )
}

/** Where the user is signed in; each session can be ended here. */
function Sessions() {
  const rally = useRally()
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) => rally.auth.sessions(cursor ? { cursor } : {}, { signal }),
    [rally],
  )
  const { pages, action, forget } = usePages(load)
  return (
    <section className="card stack" aria-labelledby="sessions">
      <div>
        <h2 id="sessions">Where you are signed in</h2>
        <p className="soft small">End the sessions that you do not know or no longer use.</p>
      </div>
      <PagedList pages={pages} action={action} loading="Fetching your sessions…">
        {pages && (
          <ul className="list list-inset" data-testid="sessions-list">
            {pages.items.map((session) => (
              <SessionRow key={session.id} session={session} onEnded={() => forget(session)} />
            ))}
          </ul>
        )}
      </PagedList>
    </section>
  )
}

function SessionRow({ session, onEnded }: { session: SessionInfo; onEnded: () => void }) {
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
          {session.ip} · seen <TimeAgo at={session.lastSeenAt} />
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
