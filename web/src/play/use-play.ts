import { useEffect, useState } from 'react'
import type { RallyError } from '../../../src/client/index.ts'
import { play } from '../../../src/client/play/index.ts'
import type { Game } from '../../../src/games/game.ts'
import type { Match } from '../../../src/modules/matches/types.ts'
import { useNowPlaying } from '../net/net-context.ts'
import { useRally } from '../rally.ts'
import type { GameSource } from './game-source.ts'
import { PlaySource } from './play-source.ts'

/**
 * Plays or watches a match for as long as the component is there; `mine` are the seats of this page. It is followed
 * beyond its end, which spectators may come to later than the players. `game` must always be the same object.
 */
export function usePlay<State, Input, Options>(
  match: Match,
  mine: readonly number[],
  game: Game<State, Input, Options>,
): { source: GameSource<State, Input>; error: RallyError | null } {
  const rally = useRally()
  const nowPlaying = useNowPlaying()
  const [source] = useState(() => new PlaySource<State, Input>(game.tickRate))
  const [error, setError] = useState<RallyError | null>(null)
  const matchId = match.id
  const seats = mine.join()
  useEffect(() => {
    setError(null)
    const followed = play(rally, matchId, game, { seats: seats.split(',').filter(Boolean).map(Number) })
    const stops = [source.follow(followed), nowPlaying.set(followed, game.tickRate > 0), followed.on('error', setError)]
    return () => {
      for (const stop of stops) stop()
      followed.stop()
    }
  }, [rally, nowPlaying, source, matchId, seats, game])
  return { source, error }
}
