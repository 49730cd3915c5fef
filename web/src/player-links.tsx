import { Fragment } from 'react'
import type { Match } from '../../src/modules/matches/types.ts'
import { UserLink } from './ui/user-link.tsx'

type Player = Pick<Match['players'][number], 'username' | 'displayName'>

/** The name of a player, which leads to the profile. The server-side opponent has none. */
export function PlayerName({ player }: { player: Player | undefined }) {
  if (!player) return '–'
  if (player.username === null) return player.displayName
  return <UserLink username={player.username} displayName={player.displayName} />
}

/** What `pairing` says, with links to the profiles of the others. `mine` are the viewer's seats. */
export function PairingLinks({ match, mine = [] }: { match: Match; mine?: readonly number[] }) {
  if (match.players.length === 0) return 'Nobody yet'
  if (match.mode === 'local') {
    if (mine.length > 0) return 'Two on one keyboard'
    return (
      <>
        <PlayerName player={match.players[0]} />, two on one keyboard
      </>
    )
  }
  return match.players
    .toSorted((one, other) => one.seat - other.seat)
    .map((player, index) => (
      <Fragment key={player.seat}>
        {index > 0 && ' against '}
        {mine.includes(player.seat) ? index === 0 ? 'You' : 'you' : <PlayerName player={player} />}
      </Fragment>
    ))
}
