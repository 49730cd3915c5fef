/** Somebody who takes part, as the draw needs it. */
export interface Candidate {
  /** Counts up in the order of joining. */
  readonly number: number
  /** Null for a player without one. */
  readonly rating: number | null
}

/** The players, the first seed first: those with a rating by it, then the others; equal ones by the order of joining. */
export function bySeed<T extends Candidate>(players: readonly T[]): T[] {
  return players.toSorted((a, b) => {
    if (a.rating !== null && b.rating !== null && a.rating !== b.rating) return b.rating - a.rating
    if ((a.rating === null) !== (b.rating === null)) return a.rating === null ? 1 : -1
    return a.number - b.number
  })
}
