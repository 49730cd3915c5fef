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

export const ConnectFourMark = () => (
  <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="7" fill="var(--court)" />
    {DISCS.map(([x, y, fill]) => (
      <circle key={`${x}-${y}`} cx={x} cy={y} r="2.7" fill={fill} />
    ))}
  </svg>
)
