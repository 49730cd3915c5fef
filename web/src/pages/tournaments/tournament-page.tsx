import { useCallback } from 'react'
import type { RallyError } from '../../../../src/client/index.ts'
import type { Pairing, Tournament } from '../../../../src/modules/tournaments/types.ts'
import { inWords } from '../../format.ts'
import { useTimeLeft } from '../../hooks/use-now.ts'
import { type Listener, useSubscription } from '../../hooks/use-subscription.ts'
import { useRally, useUser } from '../../rally.ts'
import { Link, paths } from '../../router.tsx'
import { ErrorNotice, Loading, Notice } from '../../ui/notice.tsx'
import { MessagePage, Page } from '../../ui/page.tsx'
import { UserLink } from '../../ui/user-link.tsx'
import { Bracket } from './bracket.tsx'
import { Rounds } from './rounds.tsx'
import { Entrants, Standings } from './standings.tsx'
import { TournamentActs } from './tournament-acts.tsx'
import { cancelWords, kindOf, STATUS_WORDS } from './tournament-words.ts'

/** A tournament as it goes on: who takes part, who meets whom, and how everybody stands. */
export function TournamentPage({ tournamentId }: { tournamentId: string }) {
  const rally = useRally()
  const open = useCallback(
    (listener: Listener<Tournament>) => rally.tournaments.onUpdate({ tournamentId }, listener),
    [rally, tournamentId],
  )
  const { data, error } = useSubscription(open)
  if (!data) return error ? <Failed error={error} /> : <Loading>Fetching the tournament…</Loading>
  return <Shown tournament={data} error={error} />
}

function Failed({ error }: { error: RallyError }) {
  if (error.code !== 'NOT_FOUND') return <ErrorNotice error={error} />
  return (
    <MessagePage title="No such tournament" href={paths.tournaments} to="To the tournaments">
      <p>There is no tournament at this address. It may have been deleted.</p>
    </MessagePage>
  )
}

function Shown({ tournament, error }: { tournament: Tournament; error: RallyError | null }) {
  const user = useUser()
  const { name, status, owner, entrantCount, size, winner, format, endReason, pairings } = tournament
  const own = tournament.entrants.find(({ userId }) => userId !== null && userId === user?.id)
  return (
    <Page title={name} aside={<span className="tag tag-accent">{STATUS_WORDS[status]}</span>}>
      <div className="stack" data-testid="tournament" data-status={status}>
        <ErrorNotice error={error} />
        <p className="soft">
          {kindOf(tournament)} · {entrantCount} of {size} players
          {owner && (
            <>
              {' '}
              · by <UserLink username={owner.username} displayName={owner.displayName} />
            </>
          )}
        </p>
        {status === 'cancelled' && <Notice look="warn">{cancelWords(endReason)}</Notice>}
        {status === 'finished' && (
          <div className="tournament-winner" data-testid="tournament-winner">
            {winner ? <strong>{winner.displayName} has won.</strong> : <strong>Nobody has won.</strong>}
          </div>
        )}
        <OwnPairing tournament={tournament} seed={own?.seed ?? null} />
        <TournamentActs tournament={tournament} own={own ?? null} />
        {pairings.length === 0 && <Entrants tournament={tournament} />}
        {pairings.length > 0 && format === 'single-elimination' && (
          <Bracket tournament={tournament} ownSeed={own?.seed ?? null} />
        )}
        {pairings.length > 0 && <Standings tournament={tournament} ownSeed={own?.seed ?? null} />}
        {pairings.length > 0 && format === 'round-robin' && (
          <Rounds tournament={tournament} ownSeed={own?.seed ?? null} />
        )}
      </div>
    </Page>
  )
}

/** The reader's own match, when it is announced. */
function OwnPairing({ tournament, seed }: { tournament: Tournament; seed: number | null }) {
  const pairing = tournament.pairings.find(({ seeds, status }) => status === 'playing' && seeds.includes(seed))
  if (seed === null || !pairing?.matchId || tournament.status !== 'running') return null
  return <Announced pairing={pairing} matchId={pairing.matchId} />
}

function Announced({ pairing, matchId }: { pairing: Pairing; matchId: string }) {
  const left = useTimeLeft(pairing.comeBy)
  return (
    <Notice>
      Your match of round {pairing.round} is on.{left > 0 && ` If you are not there, you lose it ${inWords(left)}.`}{' '}
      <Link href={paths.match(matchId)} data-testid="own-tournament-match">
        Go to the match
      </Link>
    </Notice>
  )
}
