import { useCallback } from 'react'
import { FinishedMatch } from '../../finished-match.tsx'
import type { OwnCall } from '../../hooks/use-action.ts'
import { seatsOf } from '../../player-names.ts'
import { useRally, useUser } from '../../rally.ts'
import { PagedList, usePages } from '../../ui/paged-list.tsx'

const PAGE = 5

/** The finished matches of a user, newest first; of another user those that are public. */
export function RecentMatches({ userId, username }: { readonly userId: string; readonly username: string }) {
  const rally = useRally()
  const me = useUser()
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) =>
      rally.matches.history({ username, limit: PAGE, ...(cursor ? { cursor } : {}) }, { signal }),
    [rally, username],
  )
  const { pages, action } = usePages(load)
  return (
    <section className="stack" aria-labelledby="recent-matches">
      <h2 id="recent-matches">Recent matches</h2>
      <PagedList pages={pages} action={action} loading="Fetching the matches…">
        {pages?.items.length === 0 && <p className="soft">None yet.</p>}
        {pages && pages.items.length > 0 && (
          <ul className="list" data-testid="recent-matches">
            {pages.items.map((match) => (
              <FinishedMatch key={match.id} match={match} mine={seatsOf(match, me?.id)} of={seatsOf(match, userId)} />
            ))}
          </ul>
        )}
      </PagedList>
    </section>
  )
}
