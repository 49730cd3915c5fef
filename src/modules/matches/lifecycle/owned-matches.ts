import { statement } from '../../../db/sql.ts'
import type { Platform } from '../../platform.ts'
import { inIdempotentTransaction, plainScope, type Scope } from '../../scope.ts'
import type { MatchFeed } from '../match-feed.ts'
import { type MatchRow, readMatches } from '../match-row.ts'
import { storeRatings } from '../ratings/ratings.ts'
import { withdrawRematches } from '../rematches.ts'
import type { EndReason, Match, MatchMode } from '../types.ts'
import type { MatchResult } from './result-files.ts'

// Each statement that writes for a live match names the node that runs it and the fence of that node's claim. So a node
// that others took for dead writes nothing. Each statement may run twice, because a commit may succeed without its
// answer. What is announced is read from the row.

/**
 * Names the countdown that is over, instead of comparing clocks, which may have been set since it began. Values: match, node,
 * now, versions of the games' rules, when the countdown ends.
 */
const CLAIM = statement<{ id: string }>(
  'matches.claim',
  `UPDATE matches SET status = 'live', node_id = $2, fence = fence + 1, started_at = $3,
     rules_version = coalesce(($4::jsonb ->> game)::int, rules_version), version = version + 1, start_version = version + 1,
     updated_at = now()
   WHERE id = $1 AND status = 'waiting' AND starts_at = $5 AND EXISTS (SELECT FROM nodes WHERE nodes.id = $2)
   RETURNING id`,
)

/**
 * A result counts even if another node has aborted the match as `node-lost`: by the fence, nobody has run it since.
 * Values: match, node, fence, winner, scores, reason, finished at, ticks, final state, inputs, placements.
 */
const FINISH = statement<{ id: string; mode: MatchMode }>(
  'matches.finish',
  `WITH ended AS (
     UPDATE matches SET status = 'finished', winner_seat = $4, end_reason = $6, finished_at = $7, ticks = $8,
       final_state = $9, inputs = $10, placements = $11, version = version + 1, updated_at = now()
     WHERE id = $1 AND node_id = $2 AND fence = $3
       AND (status = 'live' OR (status = 'aborted' AND end_reason = 'node-lost'))
     RETURNING id, mode),
   scored AS (
     UPDATE seats SET score = scores.score
     FROM ended, unnest($5::int[]) WITH ORDINALITY AS scores (score, place)
     WHERE seats.match_id = ended.id AND seats.seat = scores.place - 1)
   SELECT id, mode FROM ended`,
)

/** Values: node, matches, fences, reason. */
const ABORT = statement<{ id: string }>(
  'matches.abort',
  `UPDATE matches SET status = 'aborted', end_reason = $4, finished_at = now(), version = version + 1,
     updated_at = now()
   FROM unnest($2::text[], $3::int[]) AS own (id, fence)
   WHERE matches.id = own.id AND matches.fence = own.fence AND node_id = $1 AND status = 'live'
   RETURNING matches.id`,
)

/** How many matches one statement covers. */
const WRITTEN_AT_ONCE = 200
const COMPARED_AT_ONCE = 500

/** Leaves out matches that are locked. Values: node; then one entry a seat: matches, fences, spectators, seats, scores. */
const WRITE_PROGRESS = statement<{ id: string; version: number }>(
  'matches.progress',
  `WITH offered AS (
     SELECT * FROM unnest($2::text[], $3::int[], $4::int[], $5::int[], $6::int[])
       AS offered (match_id, fence, spectators, seat, score)),
   own AS (
     SELECT id FROM matches
     WHERE node_id = $1 AND status = 'live' AND (id, fence) IN (SELECT match_id, fence FROM offered)
     ORDER BY id FOR NO KEY UPDATE SKIP LOCKED),
   scored AS (
     UPDATE seats SET score = offered.score FROM own, offered
     WHERE offered.match_id = own.id AND seats.match_id = own.id AND seats.seat = offered.seat
       AND seats.score <> offered.score)
   UPDATE matches SET spectators = watched.spectators, version = version + 1, updated_at = now()
   FROM own JOIN (SELECT DISTINCT match_id, spectators FROM offered) AS watched ON watched.match_id = own.id
   WHERE matches.id = own.id
   RETURNING matches.id, version`,
)

/**
 * Values: node; what it runs between two ids: matches, fences, versions; the ids, in the order of bytes: above the first,
 * up to the second; null for no bound. A match is `missing` only after 5 s: its claim may not have been answered yet.
 */
const COMPARE = statement<Difference>(
  'matches.compare',
  `SELECT held.id,
     CASE WHEN status = 'live' AND node_id = $1 AND matches.fence = held.fence THEN 'changed' ELSE 'lost' END AS state
   FROM unnest($2::text[], $3::int[], $4::int[]) AS held (id, fence, version)
   LEFT JOIN matches ON matches.id = held.id
   WHERE (status = 'live' AND node_id = $1 AND matches.fence = held.fence AND matches.version = held.version
     AND NOT EXISTS (SELECT 1 FROM seats WHERE match_id = held.id AND left_at IS NOT NULL)) IS NOT TRUE
   UNION ALL (
     SELECT id, 'missing' FROM matches
     WHERE node_id = $1 AND status = 'live' AND started_at < now() - interval '5 seconds'
       AND ($5::text IS NULL OR id COLLATE "C" > $5) AND ($6::text IS NULL OR id COLLATE "C" <= $6)
       AND NOT EXISTS (SELECT 1 FROM unnest($2::text[]) AS held (id) WHERE held.id = matches.id)
     LIMIT 200)`,
)

/** A live match as this node holds it. */
export interface Held {
  readonly id: string
  readonly fence: number
  readonly match: { readonly version: number }
}

/** What is to be written of a live match while it goes on. `scores`: one a seat. */
export type Progress = Pick<Held, 'id' | 'fence'> & {
  readonly scores: readonly number[]
  readonly spectators: number
}

/** How a match that runs here differs from its row. */
interface Difference {
  readonly id: string
  /** `lost`: not owned any more. `changed`: the row is newer, or a player has left. `missing`: owned, and does not run. */
  readonly state: 'lost' | 'changed' | 'missing'
}

/** The matches that this node owns, as the database has them: it claims, finishes, aborts and compares them. */
export class OwnedMatches {
  readonly #platform: Platform
  readonly #feed: MatchFeed
  readonly #run: (match: Match, row: MatchRow) => void
  /** The version of each game that this node knows. */
  readonly #rulesVersions: string

  /** `run` is called with each match that this node has to run, after the commit. */
  constructor(platform: Platform, feed: MatchFeed, run: (match: Match, row: MatchRow) => void) {
    this.#platform = platform
    this.#feed = feed
    this.#run = run
    const versions = Object.values(platform.games).map(({ name, version }) => [name, version])
    this.#rulesVersions = JSON.stringify(Object.fromEntries(versions))
  }

  /** Claims a match whose countdown, which ends at `startsAt`, is over. Of several nodes that try, one succeeds; a node taken for dead does not. */
  async claim(matchId: string, startsAt: Date): Promise<void> {
    const { node } = this.#platform
    let isRepeated = false
    await inIdempotentTransaction(this.#platform, async (scope) => {
      const mayBeClaimed = isRepeated
      isRepeated = true
      const claimed = await scope.sql.first(CLAIM, [matchId, node, new Date(), this.#rulesVersions, startsAt])
      if (claimed || mayBeClaimed) await this.resume(matchId, scope)
    })
  }

  /** Runs a match that this node has claimed, maybe without hearing of the commit. */
  async resume(matchId: string, scope: Scope = plainScope(this.#platform)): Promise<void> {
    const [row] = await readMatches(scope.sql, [matchId])
    if (row?.status !== 'live' || row.nodeId !== this.#platform.node) return
    const match = this.#feed.announce(scope, row)
    scope.afterCommit(() => this.#run(match, row))
  }

  /** Stores a result, unless the match has gone on elsewhere, and announces what is stored. */
  async finish(result: MatchResult): Promise<void> {
    const { matchId, node, fence, winnerSeat, scores, endReason, finishedAt, ticks, placements = [] } = result
    const values = [matchId, node, fence, winnerSeat, scores, endReason, new Date(finishedAt), ticks]
    const record = [JSON.stringify(result.finalState), JSON.stringify(result.inputs)]
    await inIdempotentTransaction(this.#platform, async (scope) => {
      const ended = await scope.sql.rows(FINISH, [...values, ...record, placements])
      if (ended[0]?.mode === 'ranked') await storeRatings(scope.sql, matchId, placements)
      await announceEnded(this.#feed, scope, [matchId], ended)
    })
  }

  /** Writes the progress of many matches at once. Answers with the new version of each match that was written, by its id. */
  async writeProgress(all: readonly Progress[]): Promise<Map<string, number>> {
    const { database, node } = this.#platform
    const versions = new Map<string, number>()
    for (let from = 0; from < all.length; from += WRITTEN_AT_ONCE) {
      const part = all.slice(from, from + WRITTEN_AT_ONCE)
      const flat = part.flatMap(({ scores, ...match }) => scores.map((score, seat) => ({ ...match, seat, score })))
      const written = await database.sql.rows(WRITE_PROGRESS, [
        node,
        flat.map(({ id }) => id),
        flat.map(({ fence }) => fence),
        flat.map(({ spectators }) => spectators),
        flat.map(({ seat }) => seat),
        flat.map(({ score }) => score),
      ])
      for (const { id, version } of written) versions.set(id, version)
    }
    return versions
  }

  /** Ends live matches without a result, and announces how they ended. */
  async abort(matches: readonly Pick<Held, 'id' | 'fence'>[], endReason: EndReason): Promise<void> {
    const ids = matches.map(({ id }) => id)
    const fences = matches.map(({ fence }) => fence)
    await inIdempotentTransaction(this.#platform, async (scope) => {
      const ended = await scope.sql.rows(ABORT, [this.#platform.node, ids, fences, endReason])
      await announceEnded(this.#feed, scope, ids, ended)
    })
  }

  /** Finds where matches that run here differ from their rows; in parts, so that thousands block nobody. */
  async *compare(running: Iterable<Held>): AsyncGenerator<Difference> {
    const { database, node } = this.#platform
    const held = [...running]
      .map(({ id, fence, match }) => ({ id, fence, version: match.version }))
      // In the order of bytes, like the statement: ids are ASCII.
      .sort((a, b) => (a.id < b.id ? -1 : 1))
    let above: string | null = null
    for (let from = 0; from === 0 || from < held.length; from += COMPARED_AT_ONCE) {
      const part = held.slice(from, from + COMPARED_AT_ONCE)
      const last = from + COMPARED_AT_ONCE < held.length ? (part.at(-1)?.id ?? null) : null
      yield* await database.sql.rows(COMPARE, [
        node,
        part.map(({ id }) => id),
        part.map(({ fence }) => fence),
        part.map(({ version }) => version),
        above,
        last,
      ])
      above = last
    }
  }
}

/**
 * Announces the matches that are over, and withdraws the rematches that this transaction has aborted.
 *
 * @param ended those of them that this transaction has ended: their hooks run
 */
export async function announceEnded(
  feed: MatchFeed,
  scope: Scope,
  ids: readonly string[],
  ended: readonly { readonly id: string }[],
): Promise<void> {
  for (const row of await readMatches(scope.sql, ids)) {
    if (row.status === 'waiting' || row.status === 'live') continue
    const match = feed.announce(scope, row)
    if (ended.some(({ id }) => id === row.id)) await feed.hooks.run(scope, row, match)
  }
  for (const row of await withdrawRematches(scope.sql, ids)) feed.announce(scope, row)
}
