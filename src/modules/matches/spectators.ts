import type { MatchRow } from './match-row.ts'
import { MAX_SPECTATOR_DELAY_MS, spectatorDelayOf } from './options.ts'

/**
 * For how long spectators must not know yet how far this match is, ms: it is played (for ever), or was until a moment
 * ago. 0 when they may see it as it is.
 */
export function hiddenMs({ options, startedAt, finishedAt }: MatchRow, now: number): number {
  const delayMs = spectatorDelayOf(options)
  if (delayMs === 0 || startedAt === null) return 0
  return finishedAt === null ? Number.POSITIVE_INFINITY : Math.max(0, finishedAt + delayMs - now)
}

/**
 * The match for those who do not play in it. While it is hidden it stays as it was when it went live, without scores:
 * any change would tell what spectators see later.
 */
export function seenBySpectators(row: MatchRow, now: number): MatchRow {
  if (hiddenMs(row, now) === 0) return row
  return {
    ...row,
    status: 'live',
    version: row.startVersion ?? row.version,
    seats: row.seats.map((seat) => ({ ...seat, score: 0, connected: true })),
    winnerSeat: null,
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
