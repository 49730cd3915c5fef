import type { PlayClient, PlayWire } from './types.ts'

/** The seats that the signed-in user has in a match. Rejects as `matches.getOne` does. */
export async function ownSeats(
  client: Pick<PlayClient, 'user'> & Pick<PlayWire, 'request'>,
  matchId: string,
): Promise<readonly number[]> {
  const match = await client.request('matches.getOne', { matchId })
  const userId = client.user?.id
  if (userId === undefined || typeof match !== 'object' || match === null || !('players' in match)) return []
  const players: readonly unknown[] = Array.isArray(match.players) ? match.players : []
  return players.flatMap((player) => {
    const isOwn = typeof player === 'object' && player !== null && 'userId' in player && player.userId === userId
    return isOwn && 'seat' in player && typeof player.seat === 'number' ? [player.seat] : []
  })
}
