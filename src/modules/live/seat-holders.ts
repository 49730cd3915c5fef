import type { LiveMatch } from './live-matches.ts'

/**
 * Which socket last did something with each seat of the live matches here: when it goes, so does what the seat holds,
 * though its player may have other sockets. A socket is named by its id, one to another node by `socketOf`.
 */
export class SeatHolders {
  /** By socket; only of those that hold a seat. */
  readonly #matches = new Map<string, Set<LiveMatch>>()

  /** `socket` is null for an input that came by none. */
  take(match: LiveMatch, seat: number, socket: string | null): void {
    const before = match.holders[seat] ?? null
    if (before === socket) return
    match.holders[seat] = socket
    if (before !== null && !match.holders.includes(before)) this.#drop(before, match)
    if (socket === null) return
    const matches = this.#matches.get(socket) ?? new Set()
    this.#matches.set(socket, matches.add(match))
  }

  /** The socket is gone. */
  release(socket: string): void {
    for (const match of this.#matches.get(socket) ?? []) {
      match.holders.forEach((holder, seat) => {
        if (holder !== socket) return
        match.holders[seat] = null
        match.runner?.release(seat)
      })
    }
    this.#matches.delete(socket)
  }

  /** The node is gone, and all its sockets with it. */
  releaseNode(node: string): void {
    for (const socket of [...this.#matches.keys()]) if (socket.startsWith(socketOf(node, ''))) this.release(socket)
  }

  /** The match is forgotten. */
  forget(match: LiveMatch): void {
    for (const holder of match.holders) if (holder !== null) this.#drop(holder, match)
    match.holders.length = 0
  }

  #drop(socket: string, match: LiveMatch): void {
    const matches = this.#matches.get(socket)
    matches?.delete(match)
    if (matches?.size === 0) this.#matches.delete(socket)
  }
}

/** Names a socket to another node. */
export function socketOf(node: string, connectionId: string): string {
  return `${node} ${connectionId}`
}
