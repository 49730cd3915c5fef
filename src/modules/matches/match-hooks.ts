import type { Scope } from '../scope.ts'
import type { MatchRow } from './match-row.ts'
import type { Match } from './types.ts'

/** A match that has just ended, as it is stored. */
export interface EndedMatch {
  readonly match: Match
  /** What opened it for its players (`seatPlayers`); null when a player opened it. */
  readonly origin: string | null
}

type Hook = (scope: Scope, ended: EndedMatch) => Promise<void>

/** What other parts of the server do in the transaction that ends a match. Register hooks before the server starts. */
export class MatchHooks {
  readonly #onResult: Hook[] = []
  readonly #onAborted: Hook[] = []

  /**
   * Runs `hook` in the transaction that stores a result: once for each result that is stored. What it throws rolls the result
   * back, and the result is tried again. So it must not throw what another attempt does not change.
   */
  onResult(hook: Hook): void {
    this.#onResult.push(hook)
  }

  /**
   * Runs `hook` in the transaction that ends a waiting or live match without a result. A match that ended as `node-lost` may
   * get its result later all the same: then `onResult` runs too.
   */
  onAborted(hook: Hook): void {
    this.#onAborted.push(hook)
  }

  /** Call it once in the transaction that ended the match. `match` is what `row` is on the wire. */
  async run(scope: Scope, { origin }: Pick<MatchRow, 'origin'>, match: Match): Promise<void> {
    for (const hook of match.status === 'finished' ? this.#onResult : this.#onAborted)
      await hook(scope, { match, origin })
  }
}
