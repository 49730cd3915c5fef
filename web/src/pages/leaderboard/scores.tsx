import { useCallback, useEffect, useState } from 'react'
import type { GameModeSummary, Leaderboard, Period, Score } from '../../../../src/modules/scores/types.ts'
import { useAction } from '../../hooks/use-action.ts'
import { type Listener, useSubscription } from '../../hooks/use-subscription.ts'
import { useRally, useUser } from '../../rally.ts'
import { TextButton } from '../../ui/button.tsx'
import { Choice, Select } from '../../ui/field.tsx'
import { EmptyCourt } from '../../ui/icons.tsx'
import { Empty, ErrorNotice, Loading } from '../../ui/notice.tsx'
import { TimeAgo } from '../../ui/time-ago.tsx'
import { Ranking, type RankingRow } from './ranking.tsx'

const AROUND = 21
type View = 'top' | 'around'

/** The leaderboard of a game mode that the user chooses, as it changes. */
export function Scores() {
  const rally = useRally()
  const user = useUser()
  const [modes, setModes] = useState<readonly GameModeSummary[] | null>(null)
  const [chosen, setChosen] = useState<string | null>(null)
  const [period, setPeriod] = useState<Period>('all')
  const [view, setView] = useState<View>('top')
  const load = useAction(async (call) => setModes((await rally.scores.gameModes({}, call)).items))
  const { run } = load
  useEffect(() => run(), [run])
  const gameMode = chosen ?? modes?.[0]?.gameMode

  if (load.error) {
    return (
      <ErrorNotice error={load.error}>
        {' '}
        <TextButton onClick={() => run()}>Try again</TextButton>
      </ErrorNotice>
    )
  }
  if (!modes) return <Loading>Fetching the game modes…</Loading>
  if (gameMode === undefined) {
    return (
      <Empty art={<EmptyCourt />} title="No scores yet">
        The scores that players submit from their games are listed here.
      </Empty>
    )
  }
  return (
    <>
      <div className="leaderboard-choices">
        <Select
          label="Game mode"
          value={gameMode}
          onChange={setChosen}
          options={modes.map((mode) => ({ value: mode.gameMode, label: mode.gameMode }))}
          testId="game-mode"
        />
        <Choice
          legend="Since"
          value={period}
          onChange={setPeriod}
          options={[
            { value: 'day', label: 'Today', testId: 'period-day' },
            { value: 'week', label: 'This week', testId: 'period-week' },
            { value: 'all', label: 'All time', testId: 'period-all' },
          ]}
          hint={period === 'all' ? undefined : 'Days begin at midnight UTC, weeks on Monday.'}
        />
        {user && (
          <Choice
            legend="Places"
            value={view}
            onChange={setView}
            options={[
              { value: 'top', label: 'The best', testId: 'places-top' },
              { value: 'around', label: 'Around me', testId: 'places-around' },
            ]}
          />
        )}
      </div>
      <LiveList key={`${gameMode}/${period}`} gameMode={gameMode} period={period} view={user ? view : 'top'} />
    </>
  )
}

interface Shown {
  readonly gameMode: string
  readonly period: Period
}

function LiveList({ gameMode, period, view }: Shown & { readonly view: View }) {
  const rally = useRally()
  const open = useCallback(
    (listener: Listener<Leaderboard>) => rally.scores.onLeaderboard({ gameMode, period }, listener),
    [rally, gameMode, period],
  )
  const { data: top, error } = useSubscription(open)
  if (error) return <ErrorNotice error={error} />
  if (!top) return <Loading>Fetching the scores…</Loading>
  return view === 'top' ? (
    <ScoreList leaderboard={top} empty="Nobody has a score in this time yet." />
  ) : (
    <Around changed={top} gameMode={gameMode} period={period} />
  )
}

/** The places around the user, read again when the best ones change. */
function Around({ changed, gameMode, period }: Shown & { readonly changed: Leaderboard }) {
  const rally = useRally()
  const [around, setAround] = useState<Leaderboard | null>(null)
  const load = useAction(async (call) => {
    setAround(await rally.scores.leaderboard({ gameMode, period, around: 'me', limit: AROUND }, call))
  })
  const { run } = load
  // biome-ignore lint/correctness/useExhaustiveDependencies: a change of the best places is when to read again
  useEffect(() => run(), [run, changed])
  return (
    <>
      <ErrorNotice error={load.error} />
      {!around && load.busy && <Loading>Fetching the scores…</Loading>}
      {around && <ScoreList leaderboard={around} empty="You have no score in this time yet." />}
    </>
  )
}

function ScoreList({ leaderboard, empty }: { readonly leaderboard: Leaderboard; readonly empty: string }) {
  const user = useUser()
  const { players, entries } = leaderboard
  if (entries.length === 0) {
    return (
      <Empty art={<EmptyCourt />} title="No scores">
        {empty}
      </Empty>
    )
  }
  return (
    <>
      <p className="small soft" data-testid="players">
        {players === 1 ? '1 player' : `${players.toLocaleString()} players`}
      </p>
      <Ranking label="Scores" rows={entries.map((entry) => rowOf(entry, user?.username))} />
    </>
  )
}

function rowOf(entry: Score, own: string | undefined): RankingRow {
  const { rank, username, displayName, playerName, score, createdAt } = entry
  return {
    place: rank,
    username,
    displayName,
    shownAs: playerName === username ? undefined : playerName,
    isOwn: username === own,
    value: score.toLocaleString(),
    about: <TimeAgo at={createdAt} />,
  }
}
