import type { Environment } from './environment.ts'

/** How long matches wait for their players. Times are in milliseconds. */
export interface MatchesSettings {
  /** From the moment that all players are connected to the first tick. */
  readonly countdownMs: number
  /** How long a player may be away from a live match. */
  readonly comeBackMs: number
  /** A waiting match is aborted when all its players have been away for so long. */
  readonly emptyMs: number
  /** A waiting match is aborted after this in any case. */
  readonly maxWaitMs: number
  /** In a turn-based match the seat to move loses after so long without a move. */
  readonly maxTurnMs: number
  /** Matches that one user may have waiting or live. */
  readonly maxActive: number
}

/** How long tournaments wait for the players of a match. Times are in milliseconds. */
export interface TournamentsSettings {
  /** A player of an announced match who is not connected within this forfeits it. */
  readonly noShowMs: number
  /** As `matches.countdownMs`, for players who are connected when the match is announced: they may look at another page. */
  readonly countdownMs: number
  /** Tournaments that are not over, in which one user may take part; and so many that one user may own. */
  readonly maxActive: number
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

export function readMatches(env: Environment): MatchesSettings {
  return {
    countdownMs: env.int('MATCH_COUNTDOWN_MS', 3_000, 0, 60_000),
    comeBackMs: env.int('MATCH_COME_BACK_MS', 30_000, 100, HOUR_MS),
    emptyMs: env.int('MATCH_EMPTY_MS', 60_000, 100, HOUR_MS),
    maxWaitMs: env.int('MATCH_MAX_WAIT_MS', 900_000, 1_000, DAY_MS),
    maxTurnMs: env.int('MATCH_MAX_TURN_MS', 300_000, 1_000, DAY_MS),
    maxActive: env.int('LIMIT_ACTIVE_MATCHES', 10, 1, 1_000),
  }
}

export function readTournaments(env: Environment): TournamentsSettings {
  return {
    noShowMs: env.int('TOURNAMENT_NO_SHOW_MS', 60_000, 500, HOUR_MS),
    countdownMs: env.int('TOURNAMENT_COUNTDOWN_MS', 10_000, 0, 60_000),
    maxActive: env.int('LIMIT_ACTIVE_TOURNAMENTS', 5, 1, 1_000),
  }
}
