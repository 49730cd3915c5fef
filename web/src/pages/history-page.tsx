import { useCallback } from 'react'
import { FinishedMatch } from '../finished-match.tsx'
import type { OwnCall } from '../hooks/use-action.ts'
import { seatsOf } from '../player-names.ts'
import { useRally, useUser } from '../rally.ts'
import { Link, paths } from '../router.tsx'
import { EmptyCourt } from '../ui/icons.tsx'
import { Empty } from '../ui/notice.tsx'
import { Page } from '../ui/page.tsx'
import { PagedList, usePages } from '../ui/paged-list.tsx'

const PAGE = 20

/** The user's own finished matches, newest first. */
export function HistoryPage() {
  const rally = useRally()
  const user = useUser()
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) =>
      rally.matches.history({ limit: PAGE, ...(cursor ? { cursor } : {}) }, { signal }),
    [rally],
  )
  const { pages, action } = usePages(load)
  return (
    <Page title="History" fit="narrow">
      <div className="stack">
        <PagedList pages={pages} action={action} loading="Fetching your matches…">
          {pages?.items.length === 0 && (
            <Empty art={<EmptyCourt />} title="No matches yet">
              What you play to the end is kept here. <Link href={paths.lobby}>Play one</Link>
            </Empty>
          )}
          {pages && pages.items.length > 0 && (
            <ul className="list" data-testid="history-list">
              {pages.items.map((match) => (
                <FinishedMatch key={match.id} match={match} mine={seatsOf(match, user?.id)} />
              ))}
            </ul>
          )}
        </PagedList>
      </div>
    </Page>
  )
}
