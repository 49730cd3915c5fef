import type { Match } from '../../../src/modules/matches/types.ts'
import { viewOf } from '../games/index.ts'
import { seatsOf } from '../match-text.ts'
import { useUser } from '../rally.ts'
import { Link, paths } from '../router.tsx'
import { isOn } from './own-matches.ts'

/** The way to a match of the user's, from every other page. */
export function OtherMatchNotice({ match }: { match: Match | null }) {
  const user = useUser()
  return (
    // There before it has anything to say, so that a screen reader says it.
    <div role="status" data-testid="other-match" data-match={match?.id}>
      {match && (
        <div className={`other-match ${isOn(match) ? 'other-match-on' : ''}`}>
          <span>
            <strong>{sayMatch(match, seatsOf(match, user?.id))}</strong>
            {match.status === 'live' && ' It does not wait for you.'}
          </span>
          <Link
            className={`button button-small ${isOn(match) ? 'button-primary' : ''}`}
            href={paths.match(match.id)}
            data-testid="to-other-match"
          >
            {isOn(match) ? 'Go to it' : 'Open it'}
          </Link>
        </div>
      )}
    </div>
  )
}

function sayMatch(match: Match, mine: readonly number[]): string {
  const opponent = match.players.find(({ seat }) => !mine.includes(seat))
  const which = `Your match${opponent ? ` against ${opponent.displayName}` : ` of ${viewOf(match.game)?.label ?? match.game}`}`
  if (match.status === 'live') return `${which} is on.`
  if (match.startsAt !== null) return `${which} is about to begin.`
  return opponent ? `${which} begins when both of you are here.` : `${which} waits for an opponent.`
}
