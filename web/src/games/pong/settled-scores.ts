import { Listeners } from '../../listeners.ts'

/**
 * The scores that are shown beside a game whose drawing is ahead of what is known: a point that is only predicted may be
 * taken back, so it is shown once it cannot be any more.
 */
export class SettledScores {
  readonly #changes = new Listeners()
  #shown: readonly number[] | null = null
  /** The scores that were drawn last, since when, and for how long they have to stand. */
  #drawn: { readonly scores: readonly number[]; readonly since: number; readonly holdMs: number } | null = null

  /** Null until there are some. The same array until they change. */
  get shown(): readonly number[] | null {
    return this.#shown
  }

  get onChange() {
    return this.#changes.add
  }

  /** The scores of what is drawn at `now`; `leadMs` is asked when they are new. */
  see(scores: readonly number[], now: number, leadMs: () => number): void {
    if (!isSame(this.#drawn?.scores, scores)) this.#drawn = { scores, since: now, holdMs: this.#shown ? leadMs() : 0 }
    const drawn = this.#drawn
    if (!drawn || isSame(this.#shown, scores) || now - drawn.since < drawn.holdMs) return
    this.#shown = scores
    this.#changes.tell()
  }
}

function isSame(one: readonly number[] | null | undefined, other: readonly number[]): boolean {
  return one?.length === other.length && one.every((score, seat) => score === other[seat])
}
