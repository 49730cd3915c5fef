import type { GameName } from '../../../src/games/index.ts'
import { CONNECT_FOUR_SEATS, ConnectFourStage } from './connect-four/connect-four-stage.tsx'
import { ConnectFourMark } from './connect-four/mark.tsx'
import type { GameView } from './game-view.ts'
import { PongMark } from './pong/mark.tsx'
import { PONG_SEATS, PongStage } from './pong/pong-stage.tsx'

/** Every game that the page can show, by its name. A new game without a view does not compile. */
export const gameViews: Readonly<Record<GameName, GameView>> = {
  pong: {
    label: 'Pong',
    seatNames: PONG_SEATS,
    describe: ({ pointsToWin }) => (typeof pointsToWin === 'number' ? `first to ${pointsToWin}` : ''),
    fit: 'fit-pong',
    Stage: PongStage,
    Mark: PongMark,
  },
  'connect-four': {
    label: 'Connect Four',
    seatNames: CONNECT_FOUR_SEATS,
    describe: () => 'four in a row',
    fit: 'fit-four',
    Stage: ConnectFourStage,
    Mark: ConnectFourMark,
  },
}

export const gameNames: readonly GameName[] = ['pong', 'connect-four']

function isKnown(name: string): name is GameName {
  return Object.hasOwn(gameViews, name)
}

/** Null for a game of a newer server. */
export function viewOf(game: string): GameView | null {
  return isKnown(game) ? gameViews[game] : null
}
