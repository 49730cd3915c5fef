import { msOf } from '../../db/sql.ts'
import type { Score } from './types.ts'

/** A score from the database. Its rank is null where it follows from the rows before. */
export type ScoreRow = Omit<Score, 'rank'> & { readonly rank: number | null }

/** SQL: the order of a leaderboard, as its index has it. */
export const ORDER = '-score, scored_at, score_id'

/** SQL: the current leaderboard of a game mode. `mode` and `period` are expressions. */
export const currentBoard = (mode: string, period: string): string => `
  SELECT id FROM leaderboards WHERE game_mode = ${mode} AND period = ${period}::"LeaderboardPeriod" AND starts_on = ${startOf(period)}`

/** SQL: the first day of the current period, by the clock of the database. */
export const startOf = (period: string): string =>
  `CASE ${period}::text WHEN 'all' THEN '1970-01-01'::date ELSE date_trunc(${period}::text, now() AT TIME ZONE 'UTC')::date END`

/**
 * SQL: one more than the number of players whose score on this leaderboard is higher. On each of the five levels it adds up
 * the ranges above the score within the range that contains it: at most 255 ranges a level, whatever the number of players.
 */
export const rankOf = (board: string, score: string): string => `
  (SELECT 1 + coalesce(sum(higher.entries), 0)::int8
   FROM generate_series(0, 4) AS level, LATERAL (
     SELECT sum(entries) AS entries FROM leaderboard_counts
     WHERE leaderboard_id = ${board} AND leaderboard_counts.level = level.level
       AND node > (${score})::int8 >> (32 - 8 * level.level) AND node <= (${score})::int8 >> (32 - 8 * level.level) | 255) AS higher)`

/** SQL: how many players have a score on this leaderboard. */
export const playersOf = (board: string): string => `
  (SELECT coalesce(sum(entries), 0)::int8 FROM leaderboard_counts WHERE leaderboard_id = ${board} AND leaderboard_counts.level = 0)`

/** SQL: a `ScoreRow` as JSON, of a row of scores or entries joined with `users`. The arguments are expressions. */
export const scoreRow = (from: { row: string; id: string; at: string; mode: string; rank: string }): string => `
  json_build_object('id', ${from.id}, 'gameMode', ${from.mode}, 'userId', ${from.row}.user_id, 'username', users.username,
    'displayName', users.display_name, 'playerName', coalesce(${from.row}.player_name, users.username),
    'score', ${from.row}.score, 'coins', ${from.row}.coins, 'enemiesDefeated', ${from.row}.enemies_defeated,
    'distance', ${from.row}.distance, 'level', ${from.row}.level,
    'createdAt', ${msOf(from.at)}, 'rank', ${from.rank})`

/**
 * Fills in the ranks of consecutive rows of a leaderboard: equal scores have the same rank, and the next one the rank of its
 * place (1, 2, 2, 4). The rows of the first two different scores know theirs, unless the list begins at the top.
 */
export function withRanks(rows: readonly ScoreRow[]): Score[] {
  const ranked: Score[] = []
  let place = 1
  for (const row of rows) {
    const before = ranked.at(-1)
    if (row.rank !== null && row.score !== before?.score) place = row.rank
    const rank = before?.score === row.score ? before.rank : place
    ranked.push({ ...row, rank })
    place++
  }
  return ranked
}
