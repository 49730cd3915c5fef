import { type Channel, channel, type Hub, RpcError } from '../../rpc/index.ts'
import type { Scope } from '../scope.ts'
import { standingsOf } from './draw/standings.ts'
import { type EntrantRow, lockTournament, type TournamentRow, updateTournament } from './tournament-rows.ts'
import type { Entrant, Tournament } from './types.ts'

export const tournamentChannel = (id: string): Channel<Tournament> => channel('tournaments.onUpdate', id)

export function notFound(): RpcError {
  return new RpcError('NOT_FOUND', 'There is no such tournament')
}

type Change = (row: TournamentRow) => void

/**
 * Changes a tournament: `change` is given the locked row, and changes it in place. What differs is stored as one new version,
 * and published once that is committed. What locks matches or users does so before this.
 *
 * @throws RpcError NOT_FOUND
 */
export async function changeTournament(hub: Hub, scope: Scope, id: string, change: Change): Promise<Tournament> {
  const changed = await changeIfKept(hub, scope, id, change)
  if (!changed) throw notFound()
  return changed
}

/** As `changeTournament`; null for a tournament that is deleted. */
export async function changeIfKept(hub: Hub, scope: Scope, id: string, change: Change): Promise<Tournament | null> {
  const before = await lockTournament(scope.sql, id)
  if (!before) return null
  const after = structuredClone(before)
  change(after)
  if (JSON.stringify(before) === JSON.stringify(after)) return toTournament(before)
  const tournament = toTournament(await updateTournament(scope.sql, before, after))
  scope.afterCommit(() => hub.publish(tournamentChannel(id), tournament.version, tournament))
  return tournament
}

/** The tournament as it is on the wire. */
export function toTournament({ winnerSeed, entrants, ...row }: TournamentRow): Tournament {
  const bySeed = entrants.toSorted((a, b) => (a.seed ?? a.number) - (b.seed ?? b.number)).map(toEntrant)
  return {
    ...row,
    winner: bySeed.find(({ seed }) => seed !== null && seed === winnerSeed) ?? null,
    entrants: bySeed,
    standings: row.pairings.length === 0 ? [] : standingsOf(row.format, entrants.length, row.pairings),
  }
}

export function toEntrant({ userId, username, displayName, seed, withdrawn }: EntrantRow): Entrant {
  return { userId, username, displayName, seed, withdrawn }
}
