import { useCallback, useEffect, useState } from 'react'
import type { PresenceOf, UserSummary } from '../../../src/modules/users/types.ts'
import type { OwnCall } from '../hooks/use-action.ts'
import { usePresence } from '../hooks/use-presence.ts'
import { useRally } from '../rally.ts'
import { Avatar } from '../ui/avatar.tsx'
import { TextButton } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Page } from '../ui/page.tsx'
import { PagedList, usePages } from '../ui/paged-list.tsx'
import { PresenceBadge } from '../ui/presence-badge.tsx'
import { UserLink } from '../ui/user-link.tsx'

/** A name is searched for when nothing was typed for so long. */
const PAUSE_MS = 250

/** Who is online, and a search for users by their names. */
export function PeoplePage() {
  const [typed, setTyped] = useState('')
  const [prefix, setPrefix] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => setPrefix(typed.trim()), PAUSE_MS)
    return () => clearTimeout(timer)
  }, [typed])
  return (
    <Page title="People" fit="narrow">
      <div className="stack">
        <Field
          label="Find somebody"
          type="search"
          placeholder="The beginning of a username"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          maxLength={21}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          data-testid="search-people"
        />
        {prefix === '' ? <Online /> : <Found key={prefix} prefix={prefix} />}
      </div>
    </Page>
  )
}

function Online() {
  const rally = useRally()
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) => rally.users.online(cursor ? { cursor } : {}, { signal }),
    [rally],
  )
  const { pages, action } = usePages(load)
  return (
    <section className="stack" aria-labelledby="online">
      <div className="list-head">
        <h2 id="online">Online now</h2>
        <TextButton onClick={() => action.run()}>Look again</TextButton>
      </div>
      <PagedList pages={pages} action={action} loading="Looking who is here…">
        {pages && <People users={pages.items} />}
      </PagedList>
    </section>
  )
}

function Found({ prefix }: { readonly prefix: string }) {
  const rally = useRally()
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) =>
      rally.users.search({ prefix, ...(cursor ? { cursor } : {}) }, { signal }),
    [rally, prefix],
  )
  const { pages, action } = usePages(load)
  return (
    <section className="stack" aria-labelledby="found">
      <h2 id="found">Names that begin so</h2>
      <PagedList pages={pages} action={action} loading="Searching…">
        {pages?.items.length === 0 && <p className="soft">Nobody has such a name.</p>}
        {pages && <People users={pages.items} />}
      </PagedList>
    </section>
  )
}

/** What was read with the list is shown until the stream of the first 64 says more. */
function People({
  users,
}: {
  readonly users: readonly (UserSummary & Partial<Pick<PresenceOf, 'status' | 'matchId'>>)[]
}) {
  const presence = usePresence(users.map(({ id }) => id))
  return (
    <ul className="list" data-testid="people">
      {users.map(({ id, username, displayName, status, matchId = null }) => (
        <li key={id} className="list-item" data-user={username}>
          <Avatar username={username} size={40} />
          <span className="list-text">
            <UserLink username={username} displayName={displayName} />
            <span className="small soft">@{username}</span>
          </span>
          <PresenceBadge presence={presence.get(id) ?? (status && { status, matchId })} />
        </li>
      ))}
    </ul>
  )
}
