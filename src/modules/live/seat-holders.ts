import type { LiveMatch } from './live-matches.ts'

/**
 * Which socket last sent an input for each seat of the live matches here. The seat is released when that socket is gone,
 * even if its player has others. A socket is named by its id, or by `socketOf` if it is connected to another node.
 */
export class SeatHolders {
  /** By socket; only sockets that hold a seat. */
  readonly #matches = new Map<string, Set<LiveMatch>>()

  /** `socket` is null for an input that came without a socket. */
  take(match: LiveMatch, seat: number, socket: string | null): void {
    const before = match.holders[seat] ?? null
    if (before === socket) return
    match.holders[seat] = socket
    if (before !== null && !match.holders.includes(before)) this.#drop(before, match)
    if (socket === null) return
    const matches = this.#matches.get(socket) ?? new Set()
    this.#matches.set(socket, matches.add(match))
  }

  /** Call this when the socket is gone. */
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

  /** Call this when sockets of `node`, or of any other node, may be gone. The next input of a socket takes its seat again. */
  releaseNode(node?: string): void {
    for (const socket of [...this.#matches.keys()]) {
      if (node === undefined ? socket.includes(' ') : socket.startsWith(socketOf(node, ''))) this.release(socket)
    }
  }

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
