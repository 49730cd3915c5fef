import { randomInt, randomUUID } from 'node:crypto'
import { type Sql, statement } from '../../db/sql.ts'
import type { AnyGame } from '../../games/game.ts'
import { MATCH_COLUMNS, type MatchRow, matchRow } from './match-row.ts'
import { isConnected, newJoinCode } from './match-writes.ts'
import type { MatchMode, Visibility } from './types.ts'

/** A match that the server opens for its players. */
export interface SeatedMatch {
  readonly game: AnyGame
  readonly mode: MatchMode
  readonly visibility: Visibility
  /** As `checkOptions` gives them. */
  readonly options: Readonly<Record<string, unknown>>
  /** One for each seat, in the order of seats. */
  readonly userIds: readonly string[]
  /** What opens it, such as `queue`. Hooks are told. */
  readonly origin: string | null
  /** From now to the first tick, where all are connected. Default: that of any match. */
  readonly countdownMs?: number | undefined
}

/** Values: matches as JSON, each with the end of a countdown that begins now; users with a socket to this node. */
const SEAT = statement<{ row: MatchRow }>(
  'matches.seatPlayers',
  `WITH wanted AS (
     SELECT * FROM jsonb_to_recordset($1::jsonb) AS wanted (id text, game text, mode "MatchMode",
       visibility "MatchVisibility", code text, options jsonb, seed int, rules_version int, user_ids text[], origin text, starts_at timestamptz)),
   players AS (
     SELECT wanted.id AS match_id, place - 1 AS seat, users.id, users.display_name,
       ${isConnected('users.id = ANY($2)', 'users.id')} AS connected
     FROM wanted, unnest(wanted.user_ids) WITH ORDINALITY AS sitting (user_id, place) JOIN users ON users.id = sitting.user_id),
   opened AS (
     INSERT INTO matches (id, game, mode, visibility, code, options, seed, rules_version, created_by, reserved, origin, starts_at)
     SELECT id, game, mode, visibility, code, options, seed, rules_version, user_ids[1], user_ids, origin,
       CASE WHEN (SELECT bool_and(connected) FROM players WHERE match_id = wanted.id) THEN starts_at END
     FROM wanted ON CONFLICT DO NOTHING RETURNING ${MATCH_COLUMNS}),
   taken AS (
     INSERT INTO seats (match_id, seat, user_id, display_name, connected)
     SELECT match_id, seat, players.id, display_name, connected FROM players JOIN opened ON opened.id = match_id
     RETURNING *)
   SELECT ${matchRow('opened', '(SELECT * FROM taken WHERE match_id = opened.id)')} AS row FROM opened`,
)

/**
 * Opens waiting matches with every seat taken. The users' rows have to be locked (`lockUsers`). A match whose join code is
 * taken is missing in the answer.
 */
export async function openSeated(
  sql: Sql,
  matches: readonly SeatedMatch[],
  { countdownMs, isHere }: { countdownMs: number; isHere: (userId: string) => boolean },
): Promise<MatchRow[]> {
  const now = Date.now()
  const wanted = matches.map(
    ({ game, mode, visibility, options, userIds, origin, countdownMs: own = countdownMs }) => ({
      id: randomUUID(),
      game: game.name,
      mode,
      visibility,
      code: newJoinCode(),
      options,
      seed: randomInt(2 ** 31),
      rules_version: game.version,
      user_ids: userIds,
      origin,
      starts_at: new Date(now + own),
    }),
  )
  const here = matches.flatMap(({ userIds }) => userIds.filter(isHere))
  const rows = await sql.rows(SEAT, [JSON.stringify(wanted), here])
  return rows.map(({ row }) => row)
}
