import { CONNECT_FOUR_SEATS, type GameView, loadView } from '../game-view.ts'

const DISCS = [
  [9, 9, 'var(--court-line)'],
  [16, 9, 'var(--court-line)'],
  [23, 9, 'var(--court-seat-0)'],
  [9, 16, 'var(--court-line)'],
  [16, 16, 'var(--court-seat-0)'],
  [23, 16, 'var(--court-seat-1)'],
  [9, 23, 'var(--court-seat-0)'],
  [16, 23, 'var(--court-seat-1)'],
  [23, 23, 'var(--court-seat-1)'],
] as const

const ConnectFourMark = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" fill="var(--court)" />
    {DISCS.map(([x, y, fill]) => (
      <circle key={`${x}-${y}`} cx={x} cy={y} r="2.7" fill={fill} />
    ))}
  </svg>
)

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
