import type { Match } from '../../../../src/modules/matches/types.ts'
import { useAction } from '../../hooks/use-action.ts'
import { useLobby } from '../../hooks/use-lobby.ts'
import { useRally } from '../../rally.ts'
import { navigate, paths } from '../../router.tsx'
import { Button } from '../../ui/button.tsx'
import { ErrorNotice } from '../../ui/notice.tsx'

/** Shows that the opponent has opened the same match again and waits in it. */
export function RematchOffer({ match, mine }: { match: Match; mine: readonly number[] }) {
  const rally = useRally()
  const lobby = useLobby()
  const opponent = match.players.find((player) => !mine.includes(player.seat))
  const join = useAction(async (call, matchId: string) => {
    await rally.matches.join({ matchId }, call)
    navigate(paths.match(matchId))
  })
  const offer = lobby.data?.matches.find(
    ({ game, status, players, createdAt }) =>
      game === match.game &&
      status === 'waiting' &&
      players.length === 1 &&
      players[0]?.userId === opponent?.userId &&
      createdAt >= (match.finishedAt ?? 0),
  )
  if (!offer || !opponent) return null
  return (
    <div className="rematch-offer" role="status">
      <span>{opponent.displayName} wants a rematch and waits for you.</span>
      <Button look="primary" busy={join.busy} onClick={() => join.run(offer.id)} data-testid="accept-rematch">
        Play
      </Button>
      <ErrorNotice error={join.error} />
    </div>
  )
}
