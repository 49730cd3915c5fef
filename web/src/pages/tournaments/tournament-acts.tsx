import { useState } from 'react'
import { type Entrant, TOURNAMENT_SIZES, type Tournament } from '../../../../src/modules/tournaments/types.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useRally, useUser } from '../../rally.ts'
import { Button } from '../../ui/button.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'

type Act = 'join' | 'leave' | 'start' | 'cancel'

/** What the reader can do in a tournament. What cannot be taken back is asked a second time. */
export function TournamentActs({ tournament, own }: { tournament: Tournament; own: Entrant | null }) {
  const rally = useRally()
  const user = useUser()
  const [asked, setAsked] = useState<Act | null>(null)
  const act = useAction(async (call, name: Act) => {
    setAsked(null)
    await rally.tournaments[name]({ tournamentId: tournament.id }, call)
  })
  const { status, entrantCount, size, format, owner } = tournament
  const isOver = status === 'finished' || status === 'cancelled'
  if (!user || isOver) return null
  const isOwner = owner?.userId === user.id
  const { min } = TOURNAMENT_SIZES[format]
  const confirm = (name: Act) => (asked === name ? act.run(name) : setAsked(name))
  return (
    <div className="stack">
      <div className="tournament-acts">
        {status === 'open' && !own && entrantCount < size && (
          <Button look="primary" busy={act.busy} onClick={() => act.run('join')} data-testid="join-tournament">
            Take part
          </Button>
        )}
        {status === 'open' && isOwner && (
          <Button
            look={own ? 'primary' : 'plain'}
            busy={act.busy}
            disabled={entrantCount < min}
            onClick={() => act.run('start')}
            data-testid="start-tournament"
          >
            Start with {entrantCount} players
          </Button>
        )}
        {status === 'open' && own && (
          <Button busy={act.busy} onClick={() => act.run('leave')} data-testid="leave-tournament">
            Take part no more
          </Button>
        )}
        {status === 'running' && own && !own.withdrawn && (
          <Button busy={act.busy} onClick={() => confirm('leave')} data-testid="leave-tournament">
            {asked === 'leave' ? 'Give up all my matches' : 'Give up'}
          </Button>
        )}
        {isOwner && (
          <Button look="quiet" busy={act.busy} onClick={() => confirm('cancel')} data-testid="cancel-tournament">
            {asked === 'cancel' ? 'Really cancel it, for everybody' : 'Cancel the tournament'}
          </Button>
        )}
      </div>
      {status === 'open' && entrantCount < min && (
        <p className="small soft">
          It takes {min} players; then {isOwner ? 'you' : (owner?.displayName ?? 'its owner')} can start it.
        </p>
      )}
      <ErrorNotice error={act.error} />
    </div>
  )
}
