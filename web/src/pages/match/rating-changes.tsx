import type { Match } from '../../../../src/modules/matches/types.ts'

/** How a ranked match has moved the ratings of its players; nothing for other matches. */
export function RatingChanges({ match }: { match: Match }) {
  const rated = match.players.filter(({ rating }) => rating !== null)
  if (rated.length === 0) return null
  return (
    <ul className="rating-changes" aria-label="Ratings" data-testid="rating-changes">
      {rated.map(
        ({ seat, displayName, rating }) =>
          rating && (
            <li key={seat}>
              <span className="soft">{displayName}</span> <strong className="numbers">{rating.after}</strong>{' '}
              <span className="numbers rating-change" data-up={rating.after > rating.before || undefined}>
                {signed(rating.after - rating.before)}
              </span>
            </li>
          ),
      )}
    </ul>
  )
}

function signed(change: number): string {
  if (change === 0) return '±0'
  return change > 0 ? `+${change}` : `−${-change}`
}
