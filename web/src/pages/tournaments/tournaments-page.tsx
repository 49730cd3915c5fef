import { useCallback, useState } from 'react'
import type { TournamentSummary } from '../../../../src/modules/tournaments/types.ts'
import { viewOf } from '../../games/index.ts'
import type { OwnCall } from '../../hooks/use-action.ts'
import { useRally, useUser } from '../../rally.ts'
import { Link, paths } from '../../router.tsx'
import { Choice } from '../../ui/field.tsx'
import { EmptyCourt } from '../../ui/icons.tsx'
import { Empty } from '../../ui/notice.tsx'
import { Page } from '../../ui/page.tsx'
import { PagedList, usePages } from '../../ui/paged-list.tsx'
import { TimeAgo } from '../../ui/time-ago.tsx'
import { NewTournament } from './new-tournament.tsx'
import { kindOf, STATUS_WORDS } from './tournament-words.ts'

const PAGE = 20

const SHOWN = {
  current: { label: 'Open and running', filter: {} },
  mine: { label: 'Mine', filter: { mine: true } },
  finished: { label: 'Finished', filter: { status: 'finished' } },
} as const
const shownKinds = ['current', 'mine', 'finished'] as const

/** Tournaments that can be joined or watched, and a form for a new one. */
export function TournamentsPage() {
  const user = useUser()
  return (
    <Page title="Tournaments">
      <div className={user ? 'lobby' : 'stack'}>
        {user && (
          <div className="stack">
            <NewTournament />
          </div>
        )}
        <div className="stack lobby-lists">
          <TournamentList />
        </div>
      </div>
    </Page>
  )
}

function TournamentList() {
  const rally = useRally()
  const user = useUser()
  const [shown, setShown] = useState<keyof typeof SHOWN>('current')
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) =>
      rally.tournaments.list({ limit: PAGE, ...(cursor ? { cursor } : {}), ...SHOWN[shown].filter }, { signal }),
    [rally, shown],
  )
  return (
    <section className="stack" aria-label="Tournaments">
      <Choice
        legend="Show"
        value={shown}
        onChange={setShown}
        options={shownKinds
          .filter((value) => user || value !== 'mine')
          .map((value) => ({ value, label: SHOWN[value].label, testId: `shown-${value}` }))}
      />
      <Tournaments key={shown} load={load} />
    </section>
  )
}

type Load = Parameters<typeof usePages<TournamentSummary>>[0]

function Tournaments({ load }: { load: Load }) {
  const user = useUser()
  const { pages, action } = usePages(load)
  return (
    <PagedList pages={pages} action={action} loading="Fetching tournaments…">
      {pages?.items.length === 0 && (
        <Empty art={<EmptyCourt />} title="No tournament here">
          {user ? 'Open one; it appears here for everybody.' : 'Sign in to open one.'}
        </Empty>
      )}
      {pages && pages.items.length > 0 && (
        <ul className="list" data-testid="tournament-list">
          {pages.items.map((tournament) => (
            <ListedTournament key={tournament.id} tournament={tournament} />
          ))}
        </ul>
      )}
    </PagedList>
  )
}

function ListedTournament({ tournament }: { tournament: TournamentSummary }) {
  const { id, name, game, status, entrantCount, size, winner, owner, createdAt } = tournament
  const view = viewOf(game)
  return (
    <li className="list-item list-item-whole" data-tournament={id}>
      {view && <view.Mark />}
      <span className="list-text">
        <Link className="list-item-link" href={paths.tournament(id)}>
          {name}
        </Link>
        <span className="small soft">
          {kindOf(tournament)}
          {owner ? ` · by ${owner.displayName}` : ''} · <TimeAgo at={createdAt} />
        </span>
        {winner && <span className="small">Won by {winner.displayName}</span>}
      </span>
      <span className="tournament-facts">
        <span className={`tag ${status === 'running' ? 'tag-accent' : ''}`}>{STATUS_WORDS[status]}</span>
        <span className="small soft numbers">
          {entrantCount} of {size}
        </span>
      </span>
    </li>
  )
}
