import type { Platform } from '../../context.ts'
import { inTransaction } from '../../scope.ts'
import type { MatchService } from '../service.ts'
import { matchStore, type Scored } from '../store.ts'

const MATCHES_PER_TRANSACTION = 100
/** After scores could not be written. */
const PAUSE_MS = 1_000

/**
 * Writes the scores of live matches, many in one transaction and one transaction at a time, so that thousands of
 * matches cost the database little. What is not written now, its caller offers again.
 */
export class ScoreWriter {
  readonly #platform: Platform
  readonly #service: MatchService
  #writing: Promise<void> | undefined
  #pausedUntil = 0

  constructor(platform: Platform, service: MatchService) {
    this.#platform = platform
    this.#service = service
  }

  /** Does nothing while scores offered before are being written, and for a pause after that has failed. */
  offer(scored: readonly Scored[], now: number): void {
    if (scored.length === 0 || this.#writing || now < this.#pausedUntil) return
    this.#writing = this.#write(scored)
      .catch((error: unknown) => {
        this.#platform.log.matches.warn({ err: error, matches: scored.length }, 'scores could not be written')
        this.#pausedUntil = Date.now() + PAUSE_MS
      })
      .finally(() => {
        this.#writing = undefined
      })
  }

  async idle(): Promise<void> {
    await this.#writing
  }

  async #write(scored: readonly Scored[]): Promise<void> {
    for (let from = 0; from < scored.length; from += MATCHES_PER_TRANSACTION) {
      const batch = scored.slice(from, from + MATCHES_PER_TRANSACTION)
      await inTransaction(this.#platform, async (scope) => {
        const rows = await matchStore.saveScores(scope, this.#platform.node, batch)
        for (const row of rows) this.#service.announce(scope, row)
      })
    }
  }
}
