import { MAX_SPECTATOR_DELAY_MS } from './match-options.ts'
import type { MatchRow } from './match-row.ts'

/** How far behind the match spectators see it, ms. */
export function spectatorDelayOf({ options }: Pick<MatchRow, 'options'>): number {
  return typeof options.spectatorDelayMs === 'number' ? options.spectatorDelayMs : 0
}

/** When spectators may see the match as it is, ms since the epoch. Infinity while the match is played. */
export function shownAt(row: Pick<MatchRow, 'options' | 'startedAt' | 'finishedAt'>): number {
  const delayMs = spectatorDelayOf(row)
  if (delayMs === 0 || row.startedAt === null) return 0
  return row.finishedAt === null ? Number.POSITIVE_INFINITY : row.finishedAt + delayMs
}

/** The match as spectators see it. While it is hidden it stays as it was when it went live, without scores. */
export function seenBySpectators(row: MatchRow, now: number): MatchRow {
  if (shownAt(row) <= now) return row
  return {
    ...row,
    status: 'live',
    version: row.startVersion ?? row.version,
    seats: row.seats.map((seat) => ({ ...seat, score: 0, connected: true, returnBy: null, rating: null })),
    winnerSeat: null,
    placements: [],
    spectators: 0,
    rematchOf: null,
    rematchId: null,
    finishedAt: null,
    endReason: null,
  }
}

/** SQL: the match is over, and spectators must not know that yet. */
export const END_IS_HIDDEN = `(
  options ? 'spectatorDelayMs' AND start_version IS NOT NULL
  AND finished_at > now() - interval '${MAX_SPECTATOR_DELAY_MS} milliseconds'
  AND finished_at > now() - (options ->> 'spectatorDelayMs')::int * interval '1 millisecond')`
