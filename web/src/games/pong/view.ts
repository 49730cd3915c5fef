import type { GameView } from '../game-view.ts'
import { loadView } from '../load-view.ts'
import { PONG_SEATS } from '../seat-names.ts'
import { PongMark } from './mark.tsx'

export const pongView: GameView = {
  label: 'Pong',
  seatNames: PONG_SEATS,
  choices: [{ option: 'pointsToWin', legend: 'Points to win', values: [3, 5, 11, 21], preset: 5 }],
  describe: ({ pointsToWin }) => (typeof pointsToWin === 'number' ? `first to ${pointsToWin}` : ''),
  fit: 'fit-pong',
  Mark: PongMark,
  ...loadView(
    () => import('./pong-stage.tsx').then(({ PongStage }) => PongStage),
    () => import('./pong-replay.tsx').then(({ PongReplay }) => PongReplay),
  ),
}
