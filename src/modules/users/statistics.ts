import { type Sql, statement } from '../../db/sql.ts'
import { type EndedMatch, ratingsOf } from '../matches/index.ts'
import type { Scope } from '../scope.ts'
import type { GameStatistics } from './types.ts'

/** Values: game, players, those of them who won. */
const COUNT = statement(
  'statistics.count',
  `INSERT INTO player_statistics (user_id, game, played, won)
   SELECT id, $1, 1, (id = ANY ($3))::int FROM users WHERE id = ANY ($2) ORDER BY id
   ON CONFLICT (user_id, game) DO UPDATE
     SET played = player_statistics.played + 1, won = player_statistics.won + EXCLUDED.won`,
)

const MAX_HISTORY = 100

const BY_USER = statement<Pick<GameStatistics, 'game' | 'played' | 'won'>>(
  'statistics.byUser',
  'SELECT game, played, won FROM player_statistics WHERE user_id = $1 ORDER BY played DESC, game',
)

/** Counts a result for its players, in the transaction that stores it. Matches alone and against bots do not count. */
export async function countResult({ sql }: Scope, { match }: EndedMatch): Promise<void> {
  if (match.mode !== 'casual' && match.mode !== 'ranked') return
  const players = match.players.flatMap(({ userId }) => userId ?? [])
  // Who shares the first place with all others has not won.
  const isDraw = match.placements?.every((placement) => placement === 1) ?? true
  const winners = match.players.filter(({ seat }) => !isDraw && match.placements?.[seat] === 1)
  await sql.rows(COUNT, [match.game, players, winners.flatMap(({ userId }) => userId ?? [])])
}

/** The games that the user has played, the most played first. */
export async function statisticsOf(sql: Sql, userId: string): Promise<GameStatistics[]> {
  const [counts, ratings] = await Promise.all([sql.rows(BY_USER, [userId]), ratingsOf(sql, userId)])
  return counts.map((counted) => {
    const rated = ratings.find(({ game }) => game === counted.game)
    const { rating = null, deviation = null, history = [] } = rated ?? {}
    return { ...counted, rating, deviation, history: history.slice(-MAX_HISTORY) }
  })
}
