/** Which seats of live matches are without their player, and since when. */
export class Absences {
  readonly #comeBackMs: number
  readonly #since = new Map<string, Map<number, number>>()

  /** A player who drops has `comeBackMs` to come back. */
  constructor(comeBackMs: number) {
    this.#comeBackMs = comeBackMs
  }

  /** False when the seat was known to be without its player. */
  begin(matchId: string, seat: number, now: number): boolean {
    const seats = this.#since.get(matchId) ?? new Map<number, number>()
    this.#since.set(matchId, seats)
    if (seats.has(seat)) return false
    seats.set(seat, now)
    return true
  }

  end(matchId: string, seat: number): void {
    const seats = this.#since.get(matchId)
    if (seats?.delete(seat) && seats.size === 0) this.#since.delete(matchId)
  }

  /** Seats whose player has been away for too long, and those whose player may still come back. */
  of(matchId: string, now: number): { readonly overdue: readonly number[]; readonly away: readonly number[] } {
    const overdue: number[] = []
    const away: number[] = []
    for (const [seat, since] of this.#since.get(matchId) ?? []) {
      if (now - since >= this.#comeBackMs) overdue.push(seat)
      else away.push(seat)
    }
    return { overdue, away }
  }

  forget(matchId: string): void {
    this.#since.delete(matchId)
  }
}
