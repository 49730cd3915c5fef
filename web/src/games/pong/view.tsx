import { type GameView, loadView, PONG_SEATS } from '../game-view.ts'

const PongMark = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" fill="var(--court)" />
    <path d="M16 5v22" stroke="var(--court-line)" strokeWidth="1.5" strokeDasharray="2 3" />
    <rect x="5" y="7" width="3.5" height="11" rx="1.7" fill="var(--court-seat-0)" />
    <rect x="23.5" y="14" width="3.5" height="11" rx="1.7" fill="var(--court-seat-1)" />
    <circle cx="18.5" cy="13" r="2.5" fill="var(--court-ink)" />
  </svg>
)

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
