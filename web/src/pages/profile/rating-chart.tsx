import type { GameStatistics } from '../../../../src/modules/users/types.ts'
import { exactTime } from '../../format.ts'

const WIDTH = 320
const HEIGHT = 96
const EDGE = 6

/** The rating after each ranked match, as a line. The text beside it says the newest one. */
export function RatingChart({ game, history }: Pick<GameStatistics, 'game' | 'history'>) {
  const first = history[0]
  const last = history.at(-1)
  if (!first || !last || history.length < 2) return null
  const ratings = history.map(({ rating }) => rating)
  const [lowest, highest] = [Math.min(...ratings), Math.max(...ratings)]
  // A line that hardly changes is drawn flat.
  const span = Math.max(highest - lowest, 40)
  const middle = (highest + lowest) / 2
  const x = (index: number) => EDGE + (index / (history.length - 1)) * (WIDTH - 2 * EDGE)
  const y = (rating: number) => HEIGHT / 2 - ((rating - middle) / span) * (HEIGHT - 2 * EDGE)
  const line = history.map(({ rating }, index) => `${x(index).toFixed(1)},${y(rating).toFixed(1)}`).join(' ')
  return (
    <figure className="rating-chart" data-testid={`rating-chart-${game}`}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={chartWords(first.rating, last.rating, ratings)}>
        <polyline points={line} fill="none" stroke="currentColor" strokeWidth="2.5" strokeLinejoin="round" />
        <circle cx={x(history.length - 1)} cy={y(last.rating)} r="4" fill="currentColor" />
      </svg>
      <figcaption className="small soft numbers">
        {lowest} to {highest} since {exactTime(first.at)}
      </figcaption>
    </figure>
  )
}

function chartWords(first: number, last: number, ratings: readonly number[]): string {
  return `The rating went from ${first} to ${last} in ${ratings.length} matches`
}
