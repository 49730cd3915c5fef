import type { GameView } from '../game-view.ts'
import { loadView } from '../load-view.ts'
import { CONNECT_FOUR_SEATS } from '../seat-names.ts'
import { ConnectFourMark } from './mark.tsx'

export const connectFourView: GameView = {
  label: 'Connect Four',
  seatNames: CONNECT_FOUR_SEATS,
  choices: [],
  describe: () => 'four in a row',
  fit: 'fit-four',
  Mark: ConnectFourMark,
  ...loadView(
    () => import('./connect-four-stage.tsx').then(({ ConnectFourStage }) => ConnectFourStage),
    () => import('./connect-four-replay.tsx').then(({ ConnectFourReplay }) => ConnectFourReplay),
  ),
}
