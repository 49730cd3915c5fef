import type { GameName } from '../../../src/games/index.ts'
import { connectFourView } from './connect-four/view.tsx'
import type { GameView } from './game-view.ts'
import { pongView } from './pong/view.tsx'

/** Every game that the page can show, in the order of its choice. A new game without a view does not compile. */
export const gameViews: Readonly<Record<GameName, GameView>> = {
  pong: pongView,
  'connect-four': connectFourView,
}

export const gameNames: readonly GameName[] = Object.keys(gameViews).filter(isKnown)

function isKnown(name: string): name is GameName {
  return Object.hasOwn(gameViews, name)
}

/** Null for a game of a newer server. */
export function viewOf(game: string): GameView | null {
  return isKnown(game) ? gameViews[game] : null
}
