/** A player who drops has this long to come back. */
export const COME_BACK_MS = 30_000

/** Which seats of live matches are without their player, and since when. */
export class Absences {
  readonly #since = new Map<string, Map<number, number>>()

  begin(matchId: string, seat: number, now: number): void {
    const seats = this.#since.get(matchId) ?? new Map<number, number>()
    this.#since.set(matchId, seats)
    if (!seats.has(seat)) seats.set(seat, now)
  }

  end(matchId: string, seat: number): void {
    const seats = this.#since.get(matchId)
    if (seats?.delete(seat) && seats.size === 0) this.#since.delete(matchId)
  }

  isAbsent(matchId: string, seat: number): boolean {
    return this.#since.get(matchId)?.has(seat) ?? false
  }

  /** Seats whose player has been away for too long. */
  overdue(matchId: string, now: number): number[] {
    const seats = this.#since.get(matchId)
    if (!seats) return []
    return [...seats].flatMap(([seat, since]) => (now - since >= COME_BACK_MS ? [seat] : []))
  }

  forget(matchId: string): void {
    this.#since.delete(matchId)
  }
}
