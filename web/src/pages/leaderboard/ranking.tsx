import type { ReactNode } from 'react'
import { Avatar } from '../../ui/avatar.tsx'
import { UserLink } from '../../ui/user-link.tsx'

export interface RankingRow {
  readonly place: number
  readonly username: string
  readonly displayName: string
  /** What the score is shown as, where that is not the user's name. */
  readonly shownAs?: string | undefined
  readonly isOwn: boolean
  readonly value: string
  /** Under the name. */
  readonly about: ReactNode
}

/** Players by their places; the own one stands out. */
export function Ranking({ label, rows }: { readonly label: string; readonly rows: readonly RankingRow[] }) {
  return (
    <ol className="ranking" aria-label={label} data-testid="ranking">
      {rows.map(({ place, username, displayName, shownAs, isOwn, value, about }) => (
        <li
          key={`${username}/${shownAs?.toLowerCase() ?? ''}`}
          className="ranking-row"
          aria-current={isOwn || undefined}
          data-player={username}
        >
          <span className="ranking-place numbers" data-medal={place <= 3 ? place : undefined}>
            {place}
          </span>
          <Avatar username={username} size={36} />
          <span className="list-text">
            {shownAs === undefined ? (
              <UserLink username={username} displayName={displayName} />
            ) : (
              <strong>{shownAs}</strong>
            )}
            <span className="small soft">
              {shownAs !== undefined && (
                <>
                  by <UserLink username={username} displayName={displayName} />,{' '}
                </>
              )}
              {about}
            </span>
          </span>
          <strong className="ranking-value numbers">{value}</strong>
        </li>
      ))}
    </ol>
  )
}
