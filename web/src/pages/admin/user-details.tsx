import { useCallback, useEffect, useState } from 'react'
import type { UserDetails as Details } from '../../../../src/modules/admin/types.ts'
import { browserName, exactTime } from '../../format.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally, useUser } from '../../rally.ts'
import { Link, paths } from '../../router.tsx'
import { TextButton } from '../../ui/button.tsx'
import { ErrorNotice, Loading, Notice } from '../../ui/notice.tsx'
import { TimeAgo } from '../../ui/time-ago.tsx'
import { UserLink } from '../../ui/user-link.tsx'
import { AuditEntries } from './audit-log.tsx'
import { UserActs } from './user-acts.tsx'
import { UserTags } from './user-tags.tsx'

/** One user: what they are, where they are signed in, what was done to them, and what can be done. */
export function UserDetails({ userId, onBack }: { userId: string; onBack: () => void }) {
  const rally = useRally()
  const own = useUser()
  const [user, setUser] = useState<Details | null>(null)
  /** Grows with each act, to read again what it has changed. */
  const [acts, setActs] = useState(0)
  const { run, busy, error } = useAction(
    useCallback(async (call) => setUser(await rally.admin.user({ userId }, call)), [rally, userId]),
  )
  // biome-ignore lint/correctness/useExhaustiveDependencies: an act changes what the user is
  useEffect(() => run(), [run, acts])
  return (
    <div className="stack" data-testid="admin-user">
      <div>
        <TextButton onClick={onBack}>All users</TextButton>
      </div>
      <ErrorNotice error={error} />
      {!user && busy && <Loading>Fetching the user…</Loading>}
      {user && (
        <>
          <h2>
            <UserLink username={user.username} /> <UserTags user={user} />
          </h2>
          <p className="small soft">
            Registered <TimeAgo at={user.createdAt} />
            {user.authenticatorResetAt !== null && ` · authenticator reset on ${exactTime(user.authenticatorResetAt)}`}
          </p>
          {user.ban && (
            <Notice look="warn">
              Banned since {exactTime(user.ban.since)}
              {user.ban.until === null ? '' : `, until ${exactTime(user.ban.until)}`}: {user.ban.reason}
            </Notice>
          )}
          {user.id === own?.id ? (
            <Notice>This is you. Nobody does these things to themselves.</Notice>
          ) : (
            <UserActs user={user} onDone={() => setActs((count) => count + 1)} />
          )}
          <OpenMatches matchIds={user.matchIds} />
          <OpenSessions sessions={user.sessions} />
          <section className="stack" aria-labelledby="done-to">
            <h3 id="done-to">What was done</h3>
            <AuditEntries key={acts} userId={user.id} />
          </section>
        </>
      )}
    </div>
  )
}

function OpenMatches({ matchIds }: Pick<Details, 'matchIds'>) {
  if (matchIds.length === 0) return null
  return (
    <section className="stack" aria-labelledby="open-matches-of">
      <h3 id="open-matches-of">Open matches</h3>
      <ul className="list">
        {matchIds.map((id) => (
          <li key={id} className="list-item">
            <Link href={paths.match(id)}>Watch {id.slice(0, 8)}</Link>
          </li>
        ))}
      </ul>
    </section>
  )
}

function OpenSessions({ sessions }: Pick<Details, 'sessions'>) {
  return (
    <section className="stack" aria-labelledby="sessions-of">
      <h3 id="sessions-of">Sessions</h3>
      {sessions.length === 0 && <p className="soft small">Signed in nowhere.</p>}
      <ul className="list">
        {sessions.map((session) => (
          <li key={session.id} className="list-item">
            <div className="list-text">
              <strong>{browserName(session.userAgent)}</strong>
              <span className="small soft">
                {session.ip} · seen <TimeAgo at={session.lastSeenAt} />
              </span>
            </div>
          </li>
        ))}
      </ul>
    </section>
  )
}
