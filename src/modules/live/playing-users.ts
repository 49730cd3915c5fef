import type { LiveMatch } from './live-match.ts'

/** Who plays live matches here, and how many. */
export class PlayingUsers {
  readonly #matches = new Map<string, number>()

  has(userId: string): boolean {
    return this.#matches.has(userId)
  }

  /** The match has begun or ended, or other users have its seats. */
  note(match: LiveMatch): void {
    const before = match.players
    const isPlayed = match.runner !== null && match.end === null
    match.players = isPlayed ? [...new Set(match.seats.flatMap(({ userId }) => userId ?? []))] : []
    for (const userId of match.players) this.#add(userId, 1)
    for (const userId of before) this.#add(userId, -1)
  }

  #add(userId: string, change: number): void {
    const matches = (this.#matches.get(userId) ?? 0) + change
    if (matches > 0) this.#matches.set(userId, matches)
    else this.#matches.delete(userId)
  }
}
