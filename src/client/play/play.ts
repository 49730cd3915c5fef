import { Session } from './session.ts'
import type { Play, PlayableGame, PlayClient, PlayOptions, PlayWire } from './types.ts'

/**
 * Plays or watches a match: the own input shows at once, everybody else's as soon as it is known, and what the server
 * says counts in the end. Draw `play.state` as often as you like; nothing is computed in between.
 *
 * `game` must be the very rules that the server runs.
 */
export function play<State, Input, Options>(
  rally: PlayClient,
  matchId: string,
  game: PlayableGame<State, Input, Options>,
  options: PlayOptions<State> = {},
): Play<State, Input> {
  if (!isWired(rally)) throw new TypeError('play() needs a client made by createClient()')
  return new Session(rally, matchId, game, options)
}

/** Every client has these; they are no part of its public face. */
function isWired(rally: object): rally is PlayWire {
  return ['subscribe', 'request', 'sendFrame', 'beLive'].every((name) => typeof Reflect.get(rally, name) === 'function')
}
