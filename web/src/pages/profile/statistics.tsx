import { useCallback, useEffect, useState } from 'react'
import type { GameStatistics } from '../../../../src/modules/users/types.ts'
import { viewOf } from '../../games/index.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally } from '../../rally.ts'
import { ErrorNotice, Loading } from '../../ui/notice.tsx'
import { RatingChart } from './rating-chart.tsx'

/** How a user has played each game against others. */
export function Statistics({ username }: { readonly username: string }) {
  const rally = useRally()
  const [games, setGames] = useState<readonly GameStatistics[] | null>(null)
  const { run, busy, error } = useAction(
    useCallback(
      async (call) => {
        const answer = await rally.users.stats({ username }, call)
        setGames(answer.games)
      },
      [rally, username],
    ),
  )
  useEffect(() => run(), [run])
  return (
    <section className="stack" aria-labelledby="statistics">
      <h2 id="statistics">Matches against others</h2>
      <ErrorNotice error={error} />
      {!games && busy && <Loading>Counting…</Loading>}
      {games?.length === 0 && <p className="soft">None yet.</p>}
      {games && games.length > 0 && (
        <ul className="profile-games" data-testid="statistics">
          {games.map((each) => (
            <Game key={each.game} statistics={each} />
          ))}
        </ul>
      )}
    </section>
  )
}

function Game({ statistics }: { readonly statistics: GameStatistics }) {
  const { game, played, won, rating, deviation, history } = statistics
  const view = viewOf(game)
  return (
    <li className="card profile-game">
      <h3>
        {view && <view.Mark />} {view?.label ?? game}
      </h3>
      <dl className="profile-figures">
        <div>
          <dt>Played</dt>
          <dd className="numbers">{played}</dd>
        </div>
        <div>
          <dt>Won</dt>
          <dd className="numbers">
            {won} <span className="soft small">({Math.round((won / played) * 100)} %)</span>
          </dd>
        </div>
        {rating !== null && (
          <div>
            <dt>Rating</dt>
            <dd className="numbers">
              {rating} <span className="soft small">± {2 * (deviation ?? 0)}</span>
            </dd>
          </div>
        )}
      </dl>
      <RatingChart game={game} history={history} />
    </li>
  )
}
