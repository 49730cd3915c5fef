import { batched } from '../../db/batched-lookup.ts'
import { type Sql, statement } from '../../db/sql.ts'
import { splitOptions } from '../matches/index.ts'
import type { MatchStatus } from '../matches/types.ts'
import type { SeatOf } from './live-matches.ts'

/** A match as it is stored, as far as it can be shown. */
export interface StoredMatch {
  readonly id: string
  readonly game: string
  readonly status: MatchStatus
  readonly seed: number
  readonly rulesVersion: number
  readonly options: unknown
  /** Null for a match that was not finished. */
  readonly ticks: number | null
  readonly finalState: unknown
  readonly startedAt: Date | null
  readonly finishedAt: Date | null
  /** The node that runs it, or did. */
  readonly node: string | null
  readonly seats: readonly SeatOf[]
}

const byIds = statement<StoredMatch>(
  'live.matches',
  `SELECT id, game, status, seed, rules_version AS "rulesVersion", options, ticks, final_state AS "finalState",
    started_at AS "startedAt", finished_at AS "finishedAt", node_id AS node,
    (SELECT coalesce(json_agg(json_build_object('seat', seat, 'userId', user_id)), '[]')
     FROM seats WHERE match_id = matches.id) AS seats
  FROM matches WHERE id = ANY($1)`,
)

/** Reads stored matches: those that are asked for in the same moment are one query, and one row each. */
export function storedMatches(sql: Sql): (matchId: string) => Promise<StoredMatch | undefined> {
  return batched(async (ids) => {
    const rows = await sql.rows(byIds, [ids])
    return new Map(rows.map((row) => [row.id, row]))
  })
}

interface Ended {
  readonly options: unknown
  readonly startedAt: Date | number | null
  readonly finishedAt: Date | number | null
}

/**
 * For how many ms yet the end of a match is kept from a user, or from nobody in particular: with a `spectatorDelayMs`
 * those who do not play in it see it that much later.
 */
export function withheldMs(
  { options, startedAt, finishedAt }: Ended,
  players: readonly { readonly userId: string | null }[],
  userId: string | null,
): number {
  if (startedAt === null || finishedAt === null) return 0
  if (userId !== null && players.some((player) => player.userId === userId)) return 0
  return Math.max(0, Number(finishedAt) + splitOptions(options).spectatorDelayMs - Date.now())
}
