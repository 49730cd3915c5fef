import { type ComponentType, lazy } from 'react'
import type { GameName } from '../../../src/games/index.ts'
import { ConnectFourMark } from './connect-four/mark.tsx'
import type { GameView } from './game-view.ts'
import { PongMark } from './pong/mark.tsx'
import { CONNECT_FOUR_SEATS, PONG_SEATS } from './seat-names.ts'

/** Every game that the page can show, by its name. A new game without a view does not compile. */
export const gameViews: Readonly<Record<GameName, GameView>> = {
  pong: {
    label: 'Pong',
    seatNames: PONG_SEATS,
    describe: ({ pointsToWin }) => (typeof pointsToWin === 'number' ? `first to ${pointsToWin}` : ''),
    fit: 'fit-pong',
    Mark: PongMark,
    ...loaded(
      () => import('./pong/pong-stage.tsx').then(({ PongStage }) => PongStage),
      () => import('./pong/pong-replay.tsx').then(({ PongReplay }) => PongReplay),
    ),
  },
  'connect-four': {
    label: 'Connect Four',
    seatNames: CONNECT_FOUR_SEATS,
    describe: () => 'four in a row',
    fit: 'fit-four',
    Mark: ConnectFourMark,
    ...loaded(
      () => import('./connect-four/connect-four-stage.tsx').then(({ ConnectFourStage }) => ConnectFourStage),
      () => import('./connect-four/connect-four-replay.tsx').then(({ ConnectFourReplay }) => ConnectFourReplay),
    ),
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

/** The parts of a view that come in files of their own. */
function loaded(
  loadStage: () => Promise<GameView['Stage']>,
  loadReplay: () => Promise<GameView['ReplayStage']>,
): Pick<GameView, 'Stage' | 'ReplayStage' | 'preload'> {
  return {
    Stage: later(loadStage),
    ReplayStage: later(loadReplay),
    // Should it fail, it is tried again, and told of, when it is shown.
    preload: () => void loadStage().catch(() => undefined),
  }
}

function later<Props extends object>(load: () => Promise<ComponentType<Props>>): ComponentType<Props> {
  return lazy(async () => ({ default: await load() }))
}
