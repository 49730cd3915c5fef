import { useCallback, useState } from 'react'
import { gameNames, viewOf } from '../../games/index.ts'
import type { OwnCall } from '../../hooks/use-action.ts'
import { useRally, useUser } from '../../rally.ts'
import { Choice } from '../../ui/field.tsx'
import { EmptyCourt } from '../../ui/icons.tsx'
import { Empty } from '../../ui/notice.tsx'
import { PagedList, usePages } from '../../ui/paged-list.tsx'
import { Ranking } from './ranking.tsx'

const PAGE = 50

/** The best players of a game, by their ranked matches. */
export function Ratings() {
  const [game, setGame] = useState(gameNames[0] ?? '')
  return (
    <>
      <Choice
        legend="Game"
        value={game}
        onChange={setGame}
        options={gameNames.map((name) => ({
          value: name,
          label: viewOf(name)?.label ?? name,
          testId: `rated-${name}`,
        }))}
        hint="Sorted by what a player's strength is at least, with 95 % certainty: the rating minus twice its deviation."
      />
      <RatingList key={game} game={game} />
    </>
  )
}

function RatingList({ game }: { readonly game: string }) {
  const rally = useRally()
  const user = useUser()
  const load = useCallback(
    (cursor: string | undefined, { signal }: OwnCall) =>
      rally.matches.ratings({ game, limit: PAGE, ...(cursor ? { cursor } : {}) }, { signal }),
    [rally, game],
  )
  const { pages, action } = usePages(load)
  return (
    <PagedList pages={pages} action={action} loading="Fetching the ratings…">
      {pages?.items.length === 0 && (
        <Empty art={<EmptyCourt />} title="No ratings yet">
          Ranked matches of this game are counted here.
        </Empty>
      )}
      {pages && pages.items.length > 0 && (
        <Ranking
          label="Ratings"
          rows={pages.items.map(({ username, displayName, rating, deviation, played, won }, at) => ({
            place: at + 1,
            username,
            displayName,
            isOwn: username === user?.username,
            value: `${rating}`,
            about: `±${2 * deviation}, ${won} of ${played} won`,
          }))}
        />
      )}
    </PagedList>
  )
}
