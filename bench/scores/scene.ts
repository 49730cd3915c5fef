import pg from 'pg'
import type { User } from '../db/scene.ts'

export const GAME_MODE = 'endless'
/** Rows of one statement, so that none takes too long. */
const BATCH = 100_000

/** How scores are spread: as in an endless game, with many ties at the low end, or over all possible scores. */
export const spreads = {
  game: 'floor(-ln(1 - random()) * 20000)::int8',
  wide: 'floor(random() * 1099511627776)::int8',
} as const
export type Spread = keyof typeof spreads

/** Fills one leaderboard of all time with the best scores of `count` players, and `users` among them. */
export async function fillLeaderboard(
  url: string,
  count: number,
  users: readonly User[],
  spread: Spread,
): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(`INSERT INTO leaderboards (game_mode, period, starts_on) VALUES ($1, 'all', '1970-01-01')`, [
      GAME_MODE,
    ])
    const crowd = count - users.length
    for (let from = 0; from < crowd; from += BATCH) {
      await client.query(
        `INSERT INTO users (id, username, display_name, totp_key_id, totp_secret)
         SELECT 'crowd-' || n, 'crowd_' || n, 'Player ' || n, 'none', ''
         FROM generate_series($1::int, $2::int) AS n`,
        [from, Math.min(from + BATCH, crowd) - 1],
      )
      const someUsers = `SELECT 'crowd-' || n AS id FROM generate_series(${from}, ${Math.min(from + BATCH, crowd) - 1}) AS n`
      await client.query(enter(someUsers, spread))
    }
    await client.query(enter('SELECT unnest($1::text[]) AS id', spread), [users.map(({ id }) => id)])
    await client.query('VACUUM ANALYZE')
  } finally {
    await client.end()
  }
}

/** SQL: a stored score of each user, and its entry. */
const enter = (users: string, spread: Spread) => `
  WITH stored AS (
    INSERT INTO scores (user_id, game_mode, score, coins, enemies_defeated, distance, level, created_at)
    SELECT id, '${GAME_MODE}', ${spreads[spread]}, 1, 2, 3.5, 4, now() - random() * interval '300 days'
    FROM (${users}) AS users RETURNING *)
  INSERT INTO leaderboard_entries
    (leaderboard_id, user_id, score_id, score, scored_at, coins, enemies_defeated, distance, level)
  SELECT (SELECT id FROM leaderboards WHERE game_mode = '${GAME_MODE}' AND period = 'all'), user_id, id, score, created_at,
    coins, enemies_defeated, distance, level
  FROM stored`

/** The plan of a statement as Postgres runs it. */
export async function explain(url: string, text: string, values: readonly unknown[]): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    // As Rally's own connections.
    await client.query('SET jit TO off')
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF) ${text}`, [
      ...values,
    ])
    return rows.map((row) => row['QUERY PLAN']).join('\n')
  } finally {
    await client.end()
  }
}
