import { msOf, type Sql, statement } from '../../db/sql.ts'
import { currentBoard, rankOf, type ScoreRow, scoreRow } from './leaderboard-rows.ts'
import type { Score } from './types.ts'

interface Found {
  readonly score: Score
}

const BEST = statement<Found>(
  'scores.best',
  `SELECT ${scoreRow({
    row: 'entry',
    id: 'entry.score_id',
    at: 'entry.scored_at',
    mode: 'board.game_mode',
    rank: rankOf('board.id', 'entry.score'),
  })} AS score
   FROM users JOIN leaderboard_entries AS entry ON entry.user_id = users.id AND entry.player_key = ''
     JOIN leaderboards AS board ON board.id = entry.leaderboard_id
   WHERE users.id = $1 AND board.period = 'all' AND ($2::text IS NULL OR board.game_mode = $2) ORDER BY board.game_mode`,
)

/** The best score of a user's own name in each game mode, or in one. */
export async function readBest(sql: Sql, userId: string, gameMode: string | undefined): Promise<Score[]> {
  return (await sql.rows(BEST, [userId, gameMode ?? null])).map(({ score }) => score)
}

/** Values: user or key of a shown name, game mode or null, how many. */
const kept = (name: string, of: string) =>
  statement<{ score: ScoreRow & Score }>(
    name,
    `SELECT ${scoreRow({
      row: 'scores',
      id: 'scores.id',
      at: 'scores.created_at',
      mode: 'scores.game_mode',
      rank: rankOf(`(${currentBoard('scores.game_mode', `'all'`)})`, 'scores.score'),
    })} AS score
     FROM (SELECT * FROM scores WHERE ${of} AND ($2::text IS NULL OR game_mode = $2)
       ORDER BY score DESC, id LIMIT $3) AS scores
       JOIN users ON users.id = scores.user_id
     ORDER BY scores.score DESC, scores.id`,
  )
const OF_USER = kept('scores.keptOfUser', `user_id = $1 AND player_key = ''`)
const OF_NAME = kept('scores.keptOfName', `player_key = $1 AND player_key <> ''`)

interface WhoseScores {
  readonly gameMode: string | undefined
  readonly limit: number
}

/** The kept scores of a user's own name, the highest first. */
export async function readScoresOfUser(sql: Sql, userId: string, { gameMode, limit }: WhoseScores): Promise<Score[]> {
  return (await sql.rows(OF_USER, [userId, gameMode ?? null, limit])).map(({ score }) => score)
}

/** The kept scores under a name that is no username, the highest first. */
export async function readScoresOfName(
  sql: Sql,
  playerKey: string,
  { gameMode, limit }: WhoseScores,
): Promise<Score[]> {
  return (await sql.rows(OF_NAME, [playerKey, gameMode ?? null, limit])).map(({ score }) => score)
}

/** A score as it is stored: without a name where it is shown under the username. */
type StoredScore = Omit<ScoreRow, 'rank' | 'userId' | 'username' | 'displayName' | 'playerName'> & {
  readonly playerName: string | null
}

const STORED = (id: string, mode: string, at: string) => `
  ${id} AS id, ${mode} AS "gameMode", score, player_name AS "playerName", coins, enemies_defeated AS "enemiesDefeated",
  distance, level, ${msOf(at)} AS "createdAt"`

/** A score that is on the list of a day or week may be no longer among those that are kept. */
const ALL = statement<StoredScore>(
  'scores.all',
  `SELECT ${STORED('id', 'game_mode', 'created_at')} FROM scores WHERE user_id = $1
   UNION SELECT ${STORED('score_id', 'game_mode', 'scored_at')}
   FROM leaderboard_entries AS entry JOIN leaderboards ON leaderboards.id = leaderboard_id
   WHERE user_id = $1 AND NOT EXISTS (SELECT FROM scores WHERE scores.id = score_id)
   ORDER BY "gameMode", score DESC, id`,
)

/** All scores of a user that are kept or listed, under all names. */
export function allScores(sql: Sql, userId: string) {
  return sql.rows(ALL, [userId])
}
