import type { Match } from '../../../../src/modules/matches/types.ts'
import { viewOf } from '../../games/index.ts'
import { resultTitle, scoreLine } from '../../match-words.ts'

/** Where the match stands, in a few words, told to screen readers as it changes. */
export function MatchStatusLine({ match, mine }: { match: Match; mine: readonly number[] }) {
  const rules = viewOf(match.game)?.describe(match.options)
  return (
    <p className="match-status">
      <span role="status" data-testid="match-status" data-status={match.status}>
        {sayStatus(match, mine)}
      </span>
      {rules && <span className="soft"> · {rules}</span>}
    </p>
  )
}

function sayStatus(match: Match, mine: readonly number[]): string {
  switch (match.status) {
    case 'waiting':
      if (match.startsAt !== null) return 'About to start'
      return match.players.length < 2 ? 'Waiting for an opponent' : 'Waiting for both players to be here'
    case 'live':
      return 'Live'
    case 'finished':
      return `${resultTitle(match, mine)}, ${scoreLine(match)}`
    case 'aborted':
      return 'Broken off'
  }
}
