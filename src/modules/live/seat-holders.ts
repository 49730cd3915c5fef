import type { Connection } from '../../rpc/index.ts'
import type { LiveMatch } from './live-match.ts'

/**
 * Which socket last did something with each seat of the live matches here: when it goes, so does what the seat holds,
 * though its player may have other sockets.
 */
export class SeatHolders {
  readonly #matches = new WeakMap<Connection, Set<LiveMatch>>()

  /** `connection` is null for an input that came by no socket. */
  take(match: LiveMatch, seat: number, connection: Connection | null): void {
    const before = match.holders[seat] ?? null
    if (before === connection) return
    match.holders[seat] = connection
    if (before && !match.holders.includes(before)) this.#matches.get(before)?.delete(match)
    if (!connection) return
    const matches = this.#matches.get(connection) ?? new Set()
    this.#matches.set(connection, matches.add(match))
  }

  /** The socket is gone. */
  letGo(connection: Connection): void {
    for (const match of this.#matches.get(connection) ?? []) {
      match.holders.forEach((holder, seat) => {
        if (holder !== connection) return
        match.holders[seat] = null
        match.runner?.release(seat)
      })
    }
    this.#matches.delete(connection)
  }

  /** The match is forgotten. */
  forget(match: LiveMatch): void {
    for (const holder of match.holders) if (holder) this.#matches.get(holder)?.delete(match)
    match.holders.length = 0
  }
}
