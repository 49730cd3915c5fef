import { type Sql, statement } from '../../db/sql.ts'
import { currentBoard, ORDER, playersOf, rankOf, type ScoreRow, scoreRow, withRanks } from './leaderboard-rows.ts'
import { type Leaderboard, MAX_LISTED, type Period, type Score } from './types.ts'

interface Read {
  readonly seq: number
  readonly players: number
  readonly entries: readonly ScoreRow[]
}

/** Values: game mode, period. One row, also where nobody has scored yet. */
const read = (entries: string) => `
  SELECT coalesce((SELECT seq FROM leaderboards WHERE game_mode = $1 AND period = 'all'), 0) AS seq,
    ${playersOf('board.id')} AS players, coalesce(listed.entries, '[]') AS entries
  FROM (SELECT (${currentBoard('$1', '$2')}) AS id) AS board LEFT JOIN LATERAL (${entries}) AS listed ON true`

/**
 * The first rows of a query. The constant limit within tells the planner that they are few: of `LIMIT $3` alone it expects a
 * tenth of all rows, and plans the statement anew for every call.
 */
const atMost = (limit: string, query: string) => `SELECT * FROM (${query} LIMIT ${MAX_LISTED}) AS few LIMIT ${limit}`

const entry = (rank: string) =>
  scoreRow({ row: 'entry', id: 'entry.score_id', at: 'entry.scored_at', mode: '$1::text', rank })

/** Values: game mode, period, how many. */
export const TOP = statement<Read>(
  'scores.top',
  read(`
    SELECT json_agg(${entry('NULL')} ORDER BY ${ORDER}) AS entries
    FROM (${atMost('$3', `SELECT * FROM leaderboard_entries WHERE leaderboard_id = board.id ORDER BY ${ORDER}`)}) AS entry
      JOIN users ON users.id = entry.user_id`),
)

/**
 * Up to `$3` entries before the own one, the own one, and so many after it. The own one is that of the user's own name, else
 * the user's best; `OFFSET 0` keeps the planner from looking for it among those of everybody. Values: game mode, period, how
 * many, user.
 */
export const AROUND = statement<Read>(
  'scores.around',
  read(`
    WITH named AS (
      SELECT * FROM leaderboard_entries WHERE leaderboard_id = board.id AND user_id = $4 AND player_key = ''),
    own AS (SELECT * FROM named UNION ALL (
      SELECT * FROM (
        SELECT * FROM leaderboard_entries WHERE leaderboard_id = board.id AND user_id = $4 OFFSET 0) AS best
      WHERE NOT EXISTS (SELECT FROM named) ORDER BY ${ORDER} LIMIT 1)),
    near AS (
      (SELECT better.* FROM own, LATERAL (${atMost(
        '$3',
        `SELECT * FROM leaderboard_entries
         WHERE leaderboard_id = board.id AND (${ORDER}) < (-own.score, own.scored_at, own.score_id)
         ORDER BY -score DESC, scored_at DESC, score_id DESC`,
      )}) AS better)
      UNION ALL SELECT * FROM own UNION ALL
      (SELECT worse.* FROM own, LATERAL (${atMost(
        '$3',
        `SELECT * FROM leaderboard_entries
         WHERE leaderboard_id = board.id AND (${ORDER}) > (-own.score, own.scored_at, own.score_id)
         ORDER BY ${ORDER}`,
      )}) AS worse)),
    known AS (
      SELECT score, ${rankOf('board.id', 'score')} AS rank
      FROM (SELECT DISTINCT score FROM near ORDER BY score DESC LIMIT 2) AS first)
    SELECT json_agg(${entry('known.rank')} ORDER BY -entry.score, entry.scored_at, entry.score_id) AS entries
    FROM near AS entry JOIN users ON users.id = entry.user_id LEFT JOIN known ON known.score = entry.score`),
)

/** Values: game mode, period, score. */
export const RANK = statement<{ rank: number; players: number }>(
  'scores.rank',
  `SELECT ${rankOf('board.id', '$3')} AS rank, ${playersOf('board.id')} AS players
   FROM (SELECT (${currentBoard('$1', '$2')}) AS id) AS board`,
)

/** The best `limit` entries, and the `seq` of this game mode. */
export async function readTop(sql: Sql, gameMode: string, period: Period, limit: number) {
  const { seq, players, entries } = await one(sql.first(TOP, [gameMode, period, limit]))
  const leaderboard: Leaderboard = { gameMode, period, players, entries: withRanks(entries) }
  return { seq, leaderboard }
}

/**
 * `limit` entries with that of the user's own name, else the user's best, in their middle, as far as there are so many on both
 * sides; none without an own one.
 */
export async function readAround(
  sql: Sql,
  gameMode: string,
  period: Period,
  limit: number,
  userId: string,
): Promise<Leaderboard> {
  const { players, entries: near } = await one(sql.first(AROUND, [gameMode, period, limit - 1, userId]))
  const entries = withRanks(near)
  const isOwn = (entry: Score) => entry.userId === userId
  const named = entries.findIndex((entry) => isOwn(entry) && entry.playerName === entry.username)
  const own = named === -1 ? entries.findIndex(isOwn) : named
  const from = Math.max(0, Math.min(own - Math.floor((limit - 1) / 2), entries.length - limit))
  return { gameMode, period, players, entries: entries.slice(from, from + limit) }
}

/** The rank that a score has or would have among the best scores of all players, and how many players there are. */
export function readRank(sql: Sql, gameMode: string, score: number) {
  return one(sql.first(RANK, [gameMode, 'all', score]))
}

async function one<Row>(found: Promise<Row | null>): Promise<Row> {
  const row = await found
  if (!row) throw new Error('a query that always has a row gave none')
  return row
}
