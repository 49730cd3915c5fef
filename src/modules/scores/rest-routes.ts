import { z } from 'zod'
import { route } from '../define.ts'
import { bosses } from './methods/bosses.ts'
import { defeatBoss } from './methods/defeatBoss.ts'
import { leaderboard } from './methods/leaderboard.ts'
import { ofPlayer } from './methods/ofPlayer.ts'
import { rank } from './methods/rank.ts'
import { submit } from './methods/submit.ts'
import { type BossDefeat, DEFAULT_GAME_MODE, Period, type Score } from './types.ts'

// The addresses and names that clients of other score servers use. A field that they send and Rally does not know is left out.

/** An optional text: games send `null` or nothing between the quotes, too. */
const OptionalText = z
  .string()
  .nullish()
  .transform((text) => text?.trim() || undefined)
const GameModeName = OptionalText.transform((mode) => mode?.toLowerCase() ?? DEFAULT_GAME_MODE)
const Limit = z.coerce.number().default(20)
const Amount = z
  .number()
  .nullish()
  .transform((amount) => amount ?? 0)

const RestScore = z.object({
  id: z.number(),
  player_name: z.string(),
  username: z.string(),
  score: z.number(),
  coins: z.number(),
  enemies_defeated: z.number(),
  distance: z.number(),
  level: z.number(),
  game_mode: z.string(),
  rank: z.number(),
  created_at: z.string(),
})

const RestBoss = z.object({
  boss: z.string(),
  times: z.number(),
  first_defeated_at: z.string(),
  last_defeated_at: z.string(),
})

/** A time as ISO 8601, in UTC. */
const time = (ms: number): string => new Date(ms).toISOString()

const restScore = (score: Score): z.infer<typeof RestScore> => ({
  id: score.id,
  player_name: score.playerName,
  username: score.username,
  score: score.score,
  coins: score.coins,
  enemies_defeated: score.enemiesDefeated,
  distance: score.distance,
  level: score.level,
  game_mode: score.gameMode,
  rank: score.rank,
  created_at: time(score.createdAt),
})

const restBoss = (defeat: BossDefeat): z.infer<typeof RestBoss> => ({
  boss: defeat.boss,
  times: defeat.times,
  first_defeated_at: time(defeat.firstDefeatedAt),
  last_defeated_at: time(defeat.lastDefeatedAt),
})

export const scoreRoutes = [
  route({
    method: 'POST',
    path: '/api/scores',
    summary: 'Stores a score of the caller.',
    calls: submit,
    body: z.object({
      player_name: OptionalText,
      score: z.number(),
      coins: Amount,
      enemies_defeated: Amount,
      distance: Amount,
      level: Amount,
      game_mode: GameModeName,
    }),
    input: ({ body }) => ({
      gameMode: body.game_mode,
      score: body.score,
      ...(body.player_name !== undefined && { playerName: body.player_name }),
      coins: body.coins,
      enemiesDefeated: body.enemies_defeated,
      distance: body.distance,
      level: body.level,
    }),
    output: RestScore.extend({ is_best: z.boolean() }),
    answer: ({ score, isBest }) => ({ ...restScore(score), is_best: isBest }),
  }),
  route({
    method: 'GET',
    path: '/api/scores/leaderboard',
    summary: 'Lists the best score of each player, the highest first.',
    calls: leaderboard,
    query: z.object({ limit: Limit, game_mode: GameModeName, period: Period.default('all') }),
    input: ({ query }) => ({ limit: query.limit, gameMode: query.game_mode, period: query.period }),
    output: z.array(RestScore),
    answer: ({ entries }) => entries.map(restScore),
  }),
  route({
    method: 'GET',
    path: '/api/scores/player/{name}',
    summary: 'Lists the kept scores of a player, the highest first.',
    calls: ofPlayer,
    query: z.object({ limit: Limit, game_mode: OptionalText }),
    input: ({ params, query }) => ({
      name: params.name,
      limit: query.limit,
      ...(query.game_mode !== undefined && { gameMode: query.game_mode.toLowerCase() }),
    }),
    output: z.array(RestScore),
    answer: ({ items }) => items.map(restScore),
  }),
  route({
    method: 'GET',
    path: '/api/scores/rank/{score}',
    summary: 'Answers which rank a score has, or would have.',
    calls: rank,
    query: z.object({ game_mode: GameModeName }),
    input: ({ params, query }) => ({ gameMode: query.game_mode, score: Number(params.score) }),
    output: z.object({ score: z.number(), game_mode: z.string(), rank: z.number(), players: z.number() }),
    answer: ({ rank: found, players }, { params, query }) => ({
      score: Number(params.score),
      game_mode: query.game_mode,
      rank: found,
      players,
    }),
  }),
  route({
    method: 'GET',
    path: '/api/bosses',
    summary: 'Lists the bosses that a player, or without a name the caller, has defeated.',
    calls: bosses,
    query: z.object({ player_name: OptionalText }),
    input: ({ query }) => (query.player_name === undefined ? {} : { username: query.player_name }),
    output: z.array(RestBoss),
    answer: ({ items }) => items.map(restBoss),
  }),
  route({
    method: 'POST',
    path: '/api/bosses/{boss}/defeat',
    summary: 'Counts one more defeat of a boss.',
    calls: defeatBoss,
    input: ({ params }) => ({ boss: params.boss.toLowerCase() }),
    output: RestBoss,
    answer: restBoss,
  }),
]
