import { RallyError } from '../../../src/client/index.ts'
import type { Replay } from '../../../src/modules/live/types.ts'
import type { Match } from '../../../src/modules/matches/types.ts'
import type { Rally } from '../rally.ts'

/** A match that may be as long as this, in answers of some 16,000 changes each. */
const MAX_ANSWERS = 50

export interface LoadedReplay {
  readonly match: Match
  /** Null while the match is not over, or when it was not played to its end. */
  readonly replay: Replay | null
}

/** A match and, if it has one, its whole replay. @throws RallyError */
export async function loadReplay(rally: Rally, matchId: string, signal: AbortSignal): Promise<LoadedReplay> {
  const match = await rally.matches.getOne({ matchId }, { signal })
  if (match.status !== 'finished') return { match, replay: null }
  const first = await rally.live.getReplay({ matchId }, { signal })
  const changes = [...first.changes]
  let { next } = first
  for (let answers = 1; next !== null; answers++) {
    if (answers >= MAX_ANSWERS) throw new RallyError('TOO_LONG', 'The replay does not end')
    const more = await rally.live.getReplay({ matchId, from: next }, { signal })
    changes.push(...more.changes)
    next = more.next
  }
  return { match, replay: { ...first, changes, next: null } }
}
