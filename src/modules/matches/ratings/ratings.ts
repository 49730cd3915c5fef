import { msOf, type Sql, statement } from '../../../db/sql.ts'
import { winnerOf } from '../../../games/game.ts'
import { type Glicko, UNRATED } from './glicko2.ts'
import { rateMatch } from './rate-match.ts'

/** For how long the ratings after each match are kept. */
const HISTORY_DAYS = 365
/** The most rating changes that one run deletes. */
const BATCH = 1_000

/** The rows of players who have none yet. Values: match, rating, deviation, volatility. */
const BEGIN = statement(
  'ratings.begin',
  `INSERT INTO ratings (user_id, game, rating, deviation, volatility, played, won, standing, rated_at)
   SELECT user_id, game, $2, $3, $4, 0, 0, greatest(0, $2::float8 - 2 * $3::float8)::int, finished_at
   FROM seats JOIN matches ON matches.id = match_id
   WHERE match_id = $1 AND NOT EXISTS (SELECT FROM seats WHERE match_id = $1 AND user_id IS NULL) ORDER BY user_id
   ON CONFLICT DO NOTHING`,
)

interface SeatedRating extends Glicko {
  readonly seat: number
  readonly idleMs: number
}

/** Locks the ratings of the players of a match, in one order. Values: match. */
const LOCK = statement<SeatedRating>(
  'ratings.lock',
  `SELECT seat, rating, deviation, volatility, (extract(epoch FROM finished_at - rated_at) * 1000)::float8 AS "idleMs"
   FROM seats JOIN matches ON matches.id = match_id
   JOIN ratings ON ratings.user_id = seats.user_id AND ratings.game = matches.game
   WHERE match_id = $1 ORDER BY ratings.user_id FOR NO KEY UPDATE OF ratings`,
)

/** Values: match; one entry a seat: seats, ratings, deviations, volatilities, whether it won. */
const STORE = statement(
  'ratings.store',
  `WITH rated AS (
     SELECT seats.user_id, game, finished_at, seats.match_id, seats.seat, after.*
     FROM unnest($2::int[], $3::float8[], $4::float8[], $5::float8[], $6::bool[]) AS after (at_seat, rating, deviation, volatility, has_won)
     JOIN seats ON seats.match_id = $1 AND seats.seat = at_seat JOIN matches ON matches.id = $1),
   before AS (
     SELECT ratings.user_id, ratings.rating FROM ratings JOIN rated ON rated.user_id = ratings.user_id AND rated.game = ratings.game),
   shown AS (
     UPDATE seats SET rating_before = round(before.rating), rating_after = round(rated.rating)
     FROM rated JOIN before ON before.user_id = rated.user_id WHERE seats.match_id = rated.match_id AND seats.seat = rated.seat),
   kept AS (
     INSERT INTO rating_changes (user_id, game, at, match_id, rating, deviation)
     SELECT user_id, game, finished_at, match_id, round(rating), round(deviation) FROM rated ON CONFLICT DO NOTHING)
   UPDATE ratings SET rating = rated.rating, deviation = rated.deviation, volatility = rated.volatility,
     played = ratings.played + 1, won = ratings.won + rated.has_won::int,
     standing = greatest(0, rated.rating - 2 * rated.deviation)::int, rated_at = greatest(ratings.rated_at, finished_at)
   FROM rated WHERE ratings.user_id = rated.user_id AND ratings.game = rated.game`,
)

/**
 * Moves the ratings of the players of a ranked match, in the transaction that stores its result. Call it once for a result. If a
 * player's account is gone, nobody's rating moves.
 */
export async function storeRatings(sql: Sql, matchId: string, placements: readonly number[]): Promise<void> {
  const begin = sql.rows(BEGIN, [matchId, UNRATED.rating, UNRATED.deviation, UNRATED.volatility])
  const [, seated] = await Promise.all([begin, sql.rows(LOCK, [matchId])])
  if (seated.length !== placements.length) return
  const after = rateMatch(
    seated.map(({ seat, idleMs, ...glicko }) => ({ placement: placements[seat] ?? seated.length, glicko, idleMs })),
  )
  const winner = winnerOf(placements)
  await sql.rows(STORE, [
    matchId,
    seated.map(({ seat }) => seat),
    after.map(({ rating }) => rating),
    after.map(({ deviation }) => deviation),
    after.map(({ volatility }) => volatility),
    seated.map(({ seat }) => seat === winner),
  ])
}

/** The rating of a user in one game. */
export interface UserRating {
  readonly game: string
  readonly rating: number
  readonly deviation: number
  readonly played: number
  readonly won: number
  /** Of the last ranked match, ms since the epoch. */
  readonly ratedAt: number
  /** The ratings after matches of the last year, the newest `MAX_HISTORY`, oldest first. */
  readonly history: readonly { readonly at: number; readonly rating: number }[]
}

const MAX_HISTORY = 200

/** Values: user. */
const OF_USER = statement<UserRating>(
  'ratings.ofUser',
  `SELECT game, round(rating)::int AS rating, round(deviation)::int AS deviation, played, won,
     ${msOf('rated_at')} AS "ratedAt", coalesce((
       SELECT json_agg(json_build_object('at', ${msOf('at')}, 'rating', rating) ORDER BY at)
       FROM (SELECT at, rating FROM rating_changes AS change WHERE change.user_id = $1 AND change.game = ratings.game
         ORDER BY at DESC LIMIT ${MAX_HISTORY}) AS newest), '[]') AS history
   FROM ratings WHERE user_id = $1 ORDER BY game`,
)

/** The ratings of a user in each game with a ranked result. */
export function ratingsOf(sql: Sql, userId: string): Promise<UserRating[]> {
  return sql.rows(OF_USER, [userId])
}

/** Values: game, users. */
const IN_GAME = statement<{ userId: string; rating: number }>(
  'ratings.inGame',
  'SELECT user_id AS "userId", rating FROM ratings WHERE game = $1 AND user_id = ANY($2)',
)

/** The ratings of these users in one game. Those without a ranked result have none. */
export async function ratingsIn(sql: Sql, game: string, userIds: readonly string[]): Promise<Map<string, number>> {
  return new Map((await sql.rows(IN_GAME, [game, userIds])).map(({ userId, rating }) => [userId, rating]))
}

/** Values: days. */
const FORGET = statement(
  'ratings.forget',
  `DELETE FROM rating_changes WHERE (user_id, game, at, match_id) IN (
     SELECT user_id, game, at, match_id FROM rating_changes WHERE at < now() - make_interval(days => $1)
     ORDER BY at LIMIT ${BATCH})`,
)

/** Deletes old entries of the history: a bounded number, and the next run goes on. */
export async function forgetOldRatings(sql: Sql): Promise<void> {
  await sql.rows(FORGET, [HISTORY_DAYS])
}
