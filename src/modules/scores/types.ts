import { z } from 'zod'
import { oneLine } from '../shown-text.ts'
import { Timestamp, UserId } from '../wire.ts'

/** A score has 40 bits: what the counts of leaderboards divide into ranges. */
export const MAX_SCORE = 2 ** 40 - 1
/** Where a request names no game mode. */
export const DEFAULT_GAME_MODE = 'default'
export const MAX_LISTED = 100

/** A game mode or a boss: a short name that the game chooses. */
const ShortName = z.string().regex(/^[a-z0-9_-]{1,32}$/, 'only a-z, 0-9, _ and -, at most 32')

export const GameMode = ShortName
export const Boss = ShortName

/** Of days and weeks the current one counts: from midnight UTC, and from Monday (ISO 8601). */
export const Period = z.enum(['day', 'week', 'all'])
export type Period = z.infer<typeof Period>

export const Points = z.number().int().min(0).max(MAX_SCORE)
const Amount = z.number().int().min(0).max(2_147_483_647)

/** What a game says about a run, beside its score. */
export const RunFacts = z.object({
  coins: Amount,
  enemiesDefeated: Amount,
  distance: z.number().min(0).max(1e12),
  level: Amount,
})
export type RunFacts = z.infer<typeof RunFacts>

/** The name that is shown with a score: letters, digits, signs and single spaces. With the account it says which player it is. */
export const PlayerName = oneLine(1, 32).refine((name) => /^\S+( \S+)*$/.test(name), 'only single spaces')

/** A score as lists show it. */
export const Score = z.object({
  id: z.number().int(),
  gameMode: z.string(),
  userId: UserId,
  username: z.string(),
  displayName: z.string(),
  /** The username, unless the score was submitted with another name. */
  playerName: z.string(),
  score: z.number().int(),
  ...RunFacts.shape,
  createdAt: Timestamp,
  /** 1 is best. One more than the number of players whose best score is higher, so equal scores have the same rank. */
  rank: z.number().int(),
})
export type Score = z.infer<typeof Score>

/** The best score of each player, highest first; of equal ones the earliest. A player is an account and a shown name. */
export const Leaderboard = z.object({
  gameMode: z.string(),
  period: Period,
  /** How many players have a score here. */
  players: z.number().int(),
  entries: z.array(Score),
})
export type Leaderboard = z.infer<typeof Leaderboard>

export const BossDefeat = z.object({
  boss: z.string(),
  times: z.number().int(),
  firstDefeatedAt: Timestamp,
  lastDefeatedAt: Timestamp,
})
export type BossDefeat = z.infer<typeof BossDefeat>

export const GameModeSummary = z.object({ gameMode: z.string(), players: z.number().int() })
export type GameModeSummary = z.infer<typeof GameModeSummary>
