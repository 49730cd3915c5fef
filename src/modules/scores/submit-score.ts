import { msOf, statement } from '../../db/sql.ts'
import { type CallerUser, RpcError } from '../../rpc/index.ts'
import type { Scope } from '../scope.ts'
import { asUsername } from '../usernames.ts'
import { rankOf, startOf } from './leaderboard-rows.ts'
import type { Period, RunFacts, Score } from './types.ts'

/** Game modes in all, that one user may begin in a day, and in which one user may have scores. */
const MAX_MODES = 1_000
const MAX_NEW_MODES = 5
const MAX_MODES_OF_USER = 50
/**
 * Shown names beside the own one that an account may have in a mode, and in all modes together, where each counts in each mode.
 * `users.export` reads all their scores in one piece: about 10 MB.
 */
const MAX_NAMES = 10_000
const MAX_NAMES_OF_USER = 20_000
/** The best scores that are kept of an account's own name in a mode, and of each other name. */
const KEPT_SCORES = 50
const KEPT_SCORES_OF_NAME = 3

export interface Submission extends RunFacts {
  readonly gameMode: string
  readonly score: number
  readonly playerName: string | undefined
}

/** A stored score. */
export interface Submitted {
  readonly score: Score
  /** It is the player's best one of all time in this mode. */
  readonly isBest: boolean
  /** The periods whose leaderboards it changed. */
  readonly changed: readonly Period[]
  /** Nobody had a score in this mode before. */
  readonly isNewMode: boolean
}

const PERIODS = `unnest('{all,week,day}'::"LeaderboardPeriod"[]) WITH ORDINALITY AS listed (period, place)`

/** The current leaderboards of a mode that exist, and whether the player is on that of all time. Values: game mode, user, score, name's key. */
const FIND_BOARDS = statement<{ periods: Period[]; isKnown: boolean; rank: number }>(
  'scores.findBoards',
  `SELECT found.periods, ${rankOf('found.id', '$3')} AS rank,
     EXISTS (SELECT FROM leaderboard_entries
       WHERE leaderboard_id = found.id AND user_id = $2 AND player_key = $4) AS "isKnown"
   FROM (SELECT coalesce(array_agg(period::text), '{}') AS periods, max(id) FILTER (WHERE period = 'all') AS id
     FROM leaderboards WHERE game_mode = $1 AND starts_on = ${startOf('period')}) AS found`,
)

/** New names of an account are counted one after another. Value: user. */
const LOCK_NAMES = statement(
  'scores.lockNames',
  `SELECT pg_advisory_xact_lock(hashtextextended('scores.names/' || $1, 0))`,
)
/** The modes in which the user has scores, and how many other names in each. Value: user. */
const COUNT_NAMES = statement<{ gameMode: string; names: number }>(
  'scores.countNames',
  `SELECT game_mode AS "gameMode", count(*) FILTER (WHERE player_key <> '') AS names
   FROM leaderboard_entries JOIN leaderboards ON leaderboards.id = leaderboard_id
   WHERE user_id = $1 AND period = 'all' GROUP BY game_mode`,
)

/** New modes are counted one after another. */
const LOCK_MODES = statement('scores.lockModes', `SELECT pg_advisory_xact_lock(hashtextextended('scores.modes', 0))`)
const COUNT_MODES = statement<{ modes: number; ownNew: number }>(
  'scores.countModes',
  `SELECT count(*) AS modes,
     count(*) FILTER (WHERE created_by = $1 AND created_at > now() - interval '1 day') AS "ownNew"
   FROM leaderboards WHERE period = 'all'`,
)

/** The order of creation is the order in which counts are locked. Values: game mode, user. */
const MAKE_BOARDS = statement(
  'scores.makeBoards',
  `INSERT INTO leaderboards (game_mode, period, starts_on, created_by)
   SELECT $1, period, ${startOf('period')}, CASE period WHEN 'all' THEN $2 END FROM ${PERIODS} ORDER BY place
   ON CONFLICT (game_mode, period, starts_on) DO NOTHING`,
)

/** Values: user, game mode, score, shown name or null, coins, enemies, distance, level, the name's key. */
const STORE = statement<{ id: number; at: number; changed: Period[] }>(
  'scores.store',
  `WITH stored AS (
     INSERT INTO scores (user_id, game_mode, score, player_name, coins, enemies_defeated, distance, level, player_key)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING *),
   entered AS (
     INSERT INTO leaderboard_entries AS kept
       (leaderboard_id, user_id, player_key, score_id, score, scored_at, player_name, coins, enemies_defeated, distance, level)
     SELECT board.id, stored.user_id, stored.player_key, stored.id, stored.score, stored.created_at, stored.player_name, stored.coins,
       stored.enemies_defeated, stored.distance, stored.level
     FROM stored JOIN leaderboards AS board ON board.game_mode = $2 AND board.starts_on = ${startOf('board.period')}
     ORDER BY board.id
     ON CONFLICT (user_id, player_key, leaderboard_id) DO UPDATE SET score_id = EXCLUDED.score_id, score = EXCLUDED.score,
       scored_at = EXCLUDED.scored_at, player_name = EXCLUDED.player_name, coins = EXCLUDED.coins,
       enemies_defeated = EXCLUDED.enemies_defeated, distance = EXCLUDED.distance, level = EXCLUDED.level
       WHERE kept.score < EXCLUDED.score
     RETURNING leaderboard_id)
   SELECT stored.id, ${msOf('stored.created_at')} AS at,
     (SELECT coalesce(array_agg(period::text), '{}') FROM entered JOIN leaderboards ON leaderboards.id = leaderboard_id) AS changed
   FROM stored`,
)

/** Values: user, game mode, name's key, how many stay. */
const TRIM = statement(
  'scores.trim',
  `DELETE FROM scores WHERE id IN (
     SELECT id FROM scores WHERE user_id = $1 AND game_mode = $2 AND player_key = $3 ORDER BY score DESC, id OFFSET $4)`,
)

const IS_USERNAME = statement<{ id: string }>('scores.isUsername', 'SELECT id FROM users WHERE username = $1')

/**
 * Stores a score, and enters it on the leaderboards on which it is the best one of this account and shown name.
 * @throws RpcError FORBIDDEN, TOO_MANY_MODES, TOO_MANY_NAMES
 */
export async function submitScore(scope: Scope, user: CallerUser, submission: Submission): Promise<Submitted> {
  const { sql } = scope
  const { gameMode, score, playerName, coins, enemiesDefeated, distance, level } = submission
  const otherName = playerName === undefined || playerKeyOf(playerName) === user.username ? null : playerName
  const playerKey = otherName === null ? '' : playerKeyOf(otherName)
  const [found, owner] = await Promise.all([
    sql.first(FIND_BOARDS, [gameMode, user.id, score, playerKey]),
    otherName === null ? null : sql.first(IS_USERNAME, [asUsername(otherName)]),
  ])
  if (owner && owner.id !== user.id) throw new RpcError('FORBIDDEN', 'The name is the username of another player')
  const isNewMode = !found?.periods.includes('all')
  if (isNewMode) await checkNewMode(scope, user)
  if (!found?.isKnown) await checkNewName(scope, user, gameMode, otherName)
  if ((found?.periods.length ?? 0) < 3) await sql.rows(MAKE_BOARDS, [gameMode, user.id])
  const values = [user.id, gameMode, score, otherName, coins, enemiesDefeated, distance, level, playerKey]
  const stays = otherName === null ? KEPT_SCORES : KEPT_SCORES_OF_NAME
  const [stored] = await Promise.all([sql.first(STORE, values), sql.rows(TRIM, [user.id, gameMode, playerKey, stays])])
  if (!stored) throw new Error('the score was not stored')
  return {
    score: {
      id: stored.id,
      userId: user.id,
      username: user.username,
      displayName: user.displayName,
      playerName: otherName ?? user.username,
      gameMode,
      score,
      coins,
      enemiesDefeated,
      distance,
      level,
      createdAt: stored.at,
      // Read before the score was stored: the own score is not above itself.
      rank: found?.rank ?? 1,
    },
    isBest: stored.changed.includes('all'),
    changed: stored.changed,
    isNewMode,
  }
}

/** What decides whether two shown names are the same. */
export const playerKeyOf = (name: string): string => name.toLowerCase().normalize('NFC')

async function checkNewName(
  { sql }: Scope,
  user: CallerUser,
  gameMode: string,
  otherName: string | null,
): Promise<void> {
  const [, modes] = await Promise.all([sql.rows(LOCK_NAMES, [user.id]), sql.rows(COUNT_NAMES, [user.id])])
  const known = modes.find((mode) => mode.gameMode === gameMode)
  if (!known && modes.length >= MAX_MODES_OF_USER) {
    throw new RpcError('TOO_MANY_MODES', `An account has scores in at most ${MAX_MODES_OF_USER} game modes`)
  }
  if (otherName === null) return
  if ((known?.names ?? 0) >= MAX_NAMES) {
    throw new RpcError('TOO_MANY_NAMES', `An account has scores under at most ${MAX_NAMES} names in a game mode`)
  }
  if (modes.reduce((sum, { names }) => sum + names, 0) >= MAX_NAMES_OF_USER) {
    throw new RpcError(
      'TOO_MANY_NAMES',
      `An account has scores under at most ${MAX_NAMES_OF_USER} names in all game modes`,
    )
  }
}

async function checkNewMode({ sql }: Scope, user: CallerUser): Promise<void> {
  const [, counted] = await Promise.all([sql.rows(LOCK_MODES), sql.first(COUNT_MODES, [user.id])])
  if (counted && counted.modes >= MAX_MODES)
    throw new RpcError('TOO_MANY_MODES', `There are already ${MAX_MODES} game modes`)
  if (counted && counted.ownNew >= MAX_NEW_MODES) {
    throw new RpcError('TOO_MANY_MODES', `A player may begin ${MAX_NEW_MODES} game modes a day`)
  }
}
