import { useCallback } from 'react'
import type { AuditEntry } from '../../../../src/modules/admin/types.ts'
import { exactTime } from '../../format.ts'
import type { OwnCall } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { PagedList, usePages } from '../../ui/paged-list.tsx'
import { UserLink } from '../../ui/user-link.tsx'

/** What admins did, the newest first. */
export function AuditLog() {
  return (
    <>
      <p className="soft small">Every act of an admin. Nobody can change or delete an entry here.</p>
      <AuditEntries />
    </>
  )
}

/** With `userId` what was done to this user. */
export function AuditEntries({ userId }: { userId?: string }) {
  const rally = useRally()
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) =>
      rally.admin.audit({ ...(userId && { userId }), ...(cursor && { cursor }) }, { signal }),
    [rally, userId],
  )
  const { pages, action } = usePages(load)
  return (
    <PagedList pages={pages} action={action} loading="Fetching the log…">
      {pages?.items.length === 0 && <p className="soft small">Nothing yet.</p>}
      {pages && pages.items.length > 0 && (
        <ul className="list" data-testid="audit-list">
          {pages.items.map((entry) => (
            <li key={entry.id} className="list-item" data-act={entry.act}>
              <div className="list-text">
                <strong>
                  <Sentence entry={entry} />
                </strong>
                <span className="small soft">{detailsOf(entry)}</span>
                <span className="small soft">
                  {exactTime(entry.at)}
                  {entry.address !== null && ` · from ${entry.address}`}
                </span>
              </div>
            </li>
          ))}
        </ul>
      )}
    </PagedList>
  )
}

function Sentence({ entry: { act, admin, user, matchId, details } }: { entry: AuditEntry }) {
  const who = admin ? <UserLink username={admin.username} /> : 'The command line'
  const whom = user ? <UserLink username={user.username} /> : 'a user'
  switch (act) {
    case 'ban':
      return (
        <>
          {who} banned {whom}
        </>
      )
    case 'unban':
      return (
        <>
          {who} lifted the ban of {whom}
        </>
      )
    case 'endSessions':
      return (
        <>
          {who} ended the sessions of {whom}
        </>
      )
    case 'resetAuthenticator':
      return (
        <>
          {who} reset the authenticator of {whom}
        </>
      )
    case 'setRole':
      return (
        <>
          {who} {details.role === 'admin' ? 'made' : 'took the admin role from'} {whom}
          {details.role === 'admin' && ' an admin'}
        </>
      )
    case 'abort':
      return (
        <>
          {who} stopped the match {matchId?.slice(0, 8)}
        </>
      )
  }
}

function detailsOf({ details: { reason, until } }: AuditEntry): string | null {
  if (typeof reason !== 'string') return null
  return typeof until === 'number' ? `${reason} (until ${exactTime(until)})` : reason
}
