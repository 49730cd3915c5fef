import { batched } from '../../db/batched-lookup.ts'
import { type Sql, statement } from '../../db/sql.ts'
import { splitOptions } from '../matches/index.ts'
import type { MatchStatus } from '../matches/types.ts'
import type { SeatOf } from './live-matches.ts'

/** What is stored of a match that followers may see. */
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
  /** The node that runs the match, or ran it. */
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

/** Reads stored matches. Several that are asked for at the same moment are one query. */
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

/** How much longer the end of a match is not shown to a user, ms: `spectatorDelayMs` for those who did not play. */
export function withheldMs(
  { options, startedAt, finishedAt }: Ended,
  players: readonly { readonly userId: string | null }[],
  userId: string | null,
): number {
  if (startedAt === null || finishedAt === null) return 0
  if (userId !== null && players.some((player) => player.userId === userId)) return 0
  return Math.max(0, Number(finishedAt) + splitOptions(options).spectatorDelayMs - Date.now())
}
