import { useCallback, useState } from 'react'
import type { OwnCall } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { Button } from '../../ui/button.tsx'
import { Choice, Field, Form } from '../../ui/field.tsx'
import { EmptyCourt } from '../../ui/icons.tsx'
import { Empty } from '../../ui/notice.tsx'
import { PagedList, usePages } from '../../ui/paged-list.tsx'
import { TimeAgo } from '../../ui/time-ago.tsx'
import { UserLink } from '../../ui/user-link.tsx'
import { UserDetails } from './user-details.tsx'
import { UserTags } from './user-tags.tsx'

type Which = 'all' | 'banned' | 'admins'

const WHICH = [
  { value: 'all', label: 'All' },
  { value: 'banned', label: 'Banned', testId: 'only-banned' },
  { value: 'admins', label: 'Admins' },
] as const satisfies readonly { value: Which; label: string; testId?: string }[]

/** The users, or one of them. */
export function Users() {
  const [typed, setTyped] = useState('')
  const [prefix, setPrefix] = useState('')
  const [which, setWhich] = useState<Which>('all')
  const [userId, setUserId] = useState<string | null>(null)
  if (userId !== null) return <UserDetails userId={userId} onBack={() => setUserId(null)} />
  return (
    <>
      <Form onSubmit={() => setPrefix(typed)}>
        <Field
          label="Name begins with"
          value={typed}
          onChange={(event) => setTyped(event.target.value.trim())}
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          maxLength={20}
          pattern="[A-Za-z0-9_]*"
          title="letters, digits and _"
          data-testid="user-prefix"
          beside={
            <Button type="submit" data-testid="find-users">
              Find
            </Button>
          }
        />
      </Form>
      <Choice legend="Which users" value={which} options={WHICH} onChange={setWhich} />
      <UserList key={`${which} ${prefix}`} prefix={prefix} which={which} onOpen={setUserId} />
    </>
  )
}

interface UserListProps {
  readonly prefix: string
  readonly which: Which
  readonly onOpen: (userId: string) => void
}

function UserList({ prefix, which, onOpen }: UserListProps) {
  const rally = useRally()
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) => {
      const only = which === 'all' ? {} : { only: which }
      return rally.admin.users({ ...only, ...(prefix && { prefix }), ...(cursor && { cursor }) }, { signal })
    },
    [rally, prefix, which],
  )
  const { pages, action } = usePages(load)
  return (
    <PagedList pages={pages} action={action} loading="Fetching users…">
      {pages?.items.length === 0 && (
        <Empty art={<EmptyCourt />} title="Nobody">
          There is no such user.
        </Empty>
      )}
      {pages && pages.items.length > 0 && (
        <ul className="list" data-testid="admin-users">
          {pages.items.map((user) => (
            <li key={user.id} className="list-item" data-user={user.username}>
              <div className="list-text">
                <strong>
                  <UserLink username={user.username} /> <UserTags user={user} />
                </strong>
                <span className="small soft">
                  since <TimeAgo at={user.createdAt} />
                </span>
              </div>
              <Button small onClick={() => onOpen(user.id)} data-testid="open-user">
                Open<span className="hidden-visually"> {user.username}</span>
              </Button>
            </li>
          ))}
        </ul>
      )}
    </PagedList>
  )
}
