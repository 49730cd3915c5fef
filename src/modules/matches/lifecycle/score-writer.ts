import { statement } from '../../../db/sql.ts'
import type { Platform } from '../../platform.ts'

/** After scores could not be written. */
const PAUSE_MS = 1_000
/** Matches whose scores one statement writes. */
const BATCH = 200

/**
 * Writes scores of live matches, and counts each match's version up once. One that something else changes at this moment
 * is left out. Values: node; then one entry a seat: matches, fences, seats, scores.
 */
const SCORE = statement<{ id: string; version: number }>(
  'matches.score',
  `WITH offered AS (
     SELECT * FROM unnest($2::text[], $3::int[], $4::int[], $5::int[]) AS offered (match_id, fence, seat, score)),
   own AS (
     SELECT id FROM matches
     WHERE node_id = $1 AND status = 'live' AND (id, fence) IN (SELECT match_id, fence FROM offered)
     ORDER BY id FOR NO KEY UPDATE SKIP LOCKED),
   scored AS (
     UPDATE seats SET score = offered.score FROM own, offered
     WHERE offered.match_id = own.id AND seats.match_id = own.id AND seats.seat = offered.seat
       AND seats.score <> offered.score)
   UPDATE matches SET version = version + 1, updated_at = now() FROM own WHERE matches.id = own.id
   RETURNING matches.id, version`,
)

/** Scores of a live match that are not written yet, one a seat. */
export interface Scored {
  readonly id: string
  readonly fence: number
  readonly scores: readonly number[]
}

/**
 * Writes the scores of live matches, many in one statement and one statement at a time, so that thousands of matches
 * cost the database little. What is not written now, its caller offers again.
 */
export class ScoreWriter {
  readonly #platform: Platform
  readonly #written: (scored: Scored, version: number) => void
  #writing: Promise<void> | undefined
  #pausedUntil = 0

  /** `written` is told which version the match has with its new scores. */
  constructor(platform: Platform, written: (scored: Scored, version: number) => void) {
    this.#platform = platform
    this.#written = written
  }

  /** Does nothing while scores offered before are being written, and for a pause after that has failed. */
  offer(scored: readonly Scored[]): void {
    if (scored.length === 0 || this.#writing || performance.now() < this.#pausedUntil) return
    this.#writing = this.#write(scored)
      .catch((error: unknown) => {
        this.#platform.log.of('matches').warn({ err: error, matches: scored.length }, 'scores could not be written')
        this.#pausedUntil = performance.now() + PAUSE_MS
      })
      .finally(() => {
        this.#writing = undefined
      })
  }

  async idle(): Promise<void> {
    await this.#writing
  }

  async #write(all: readonly Scored[]): Promise<void> {
    const { database, node } = this.#platform
    for (let from = 0; from < all.length; from += BATCH) {
      const batch = all.slice(from, from + BATCH)
      const byId = new Map(batch.map((scored) => [scored.id, scored]))
      const flat = batch.flatMap(({ id, fence, scores }) => scores.map((score, seat) => ({ id, fence, seat, score })))
      const written = await database.sql.rows(SCORE, [
        node,
        flat.map(({ id }) => id),
        flat.map(({ fence }) => fence),
        flat.map(({ seat }) => seat),
        flat.map(({ score }) => score),
      ])
      for (const { id, version } of written) {
        const scored = byId.get(id)
        if (scored) this.#written(scored, version)
      }
    }
  }
}
