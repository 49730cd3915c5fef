import { unpackInputs } from '../../engine/index.ts'
import { splitOptions } from '../matches/index.ts'
import type { Match } from '../matches/types.ts'
import type { Scope } from '../scope.ts'
import { toLiveChange } from './openings.ts'
import { withheldMs } from './stored-match.ts'
import type { LiveChange, Replay } from './types.ts'

/** The most changes of one answer, and characters of their JSON, so that a socket has room for other things. */
const MAX_CHANGES = 16_000
const MAX_LENGTH = 384 * 1024

/** The replay of a match from its change `from` on; null for a match that is not finished, or not yet for this user. */
export async function readReplay(
  scope: Scope,
  match: Match,
  from: number,
  userId: string | null,
): Promise<Replay | null> {
  if (match.status !== 'finished' || withheldMs(match, match.players, userId) > 0) return null
  const row = await scope.db.match.findUniqueOrThrow({
    where: { id: match.id },
    select: { seed: true, rulesVersion: true, ticks: true, inputs: true },
  })
  const log = unpackInputs(row.inputs)
  if (row.ticks === null || log === null) return null
  const changes = firstOf(log.slice(from, from + MAX_CHANGES).map(toLiveChange))
  const end = from + changes.length
  return {
    matchId: match.id,
    game: match.game,
    rulesVersion: row.rulesVersion,
    seed: row.seed,
    options: splitOptions(match.options).rules,
    ticks: row.ticks,
    changes,
    next: end < log.length ? end : null,
    players: match.players,
    winnerSeat: match.winnerSeat,
    scores: match.players.map(({ score }) => score),
    endReason: match.endReason,
  }
}

/** The first changes, as many as an answer holds, but at least one, so that each answer leads on. */
function firstOf(changes: LiveChange[]): LiveChange[] {
  let length = 0
  const end = changes.findIndex((change) => {
    length += JSON.stringify(change).length
    return length > MAX_LENGTH
  })
  return end === -1 ? changes : changes.slice(0, Math.max(1, end))
}
