import type { GameView } from '../game-view.ts'
import { loadView } from '../load-view.ts'
import { PONG_SEATS } from '../seat-names.ts'
import { PongMark } from './mark.tsx'

export const pongView: GameView = {
  label: 'Pong',
  seatNames: PONG_SEATS,
  describe: ({ pointsToWin }) => (typeof pointsToWin === 'number' ? `first to ${pointsToWin}` : ''),
  fit: 'fit-pong',
  Mark: PongMark,
  ...loadView(
    () => import('./pong-stage.tsx').then(({ PongStage }) => PongStage),
    () => import('./pong-replay.tsx').then(({ PongReplay }) => PongReplay),
  ),
}
