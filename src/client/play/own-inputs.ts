import { isSameInput } from '../../games/simulate.ts'
import type { PlayClient, PlayWire } from './types.ts'

/** How long a refused input waits before it is sent again, if the server does not say. */
const RETRY_MS = 250

/** The inputs that are held in a game with a clock. For a seat that another tab played last, this one sends nothing. */
export class OwnInputs<Input> {
  readonly #idle: Input
  readonly #send: (seat: number, input: Input) => void
  readonly #wanted = new Map<number, Input>()
  /** Seats that are played elsewhere, until the player does something here. */
  readonly #playedElsewhere = new Set<number>()
  /** Seats whose last input was refused for now. */
  readonly #retries = new Map<number, ReturnType<typeof setTimeout>>()

  constructor(idle: Input, send: (seat: number, input: Input) => void) {
    this.#idle = idle
    this.#send = send
  }

  wants(seat: number, input: Input): boolean {
    return isSameInput(this.#wanted.get(seat) ?? this.#idle, input)
  }

  /** The player does something here. */
  want(seat: number, input: Input): void {
    this.#wanted.set(seat, input)
    this.#playedElsewhere.delete(seat)
  }

  keepOnly(seats: readonly number[]): void {
    for (const seat of this.#wanted.keys()) if (!seats.includes(seat)) this.#wanted.delete(seat)
  }

  /** Sends what the server does not have: inputs from before the match was live, or lost with a connection. */
  sendMissing(isHeld: (seat: number, input: Input) => boolean): void {
    for (const [seat, input] of this.#wanted) {
      if (!this.#playedElsewhere.has(seat) && !isHeld(seat, input)) this.#send(seat, input)
    }
  }

  /** Sends what is held again, over a new connection: the server will release what came by the old one. */
  resend(): void {
    for (const [seat, input] of this.#wanted) {
      if (isSameInput(input, this.#idle)) this.#wanted.delete(seat)
      else if (!this.#playedElsewhere.has(seat)) this.#send(seat, input)
    }
  }

  /** The server decided an input. If it was neither sent nor is held here, the seat is played elsewhere. */
  decided(seat: number, input: Input, isOwn: boolean): void {
    if (isOwn || this.wants(seat, input)) this.#playedElsewhere.delete(seat)
    else this.#playedElsewhere.add(seat)
  }

  /** Releases every seat: nobody is at the keys any more. */
  releaseAll(): void {
    for (const [seat, input] of this.#wanted) {
      if (isSameInput(input, this.#idle)) continue
      this.#wanted.set(seat, this.#idle)
      if (!this.#playedElsewhere.has(seat)) this.#send(seat, this.#idle)
    }
  }

  /** The server refused an input. If that is for now, what is held is sent again later. */
  refused(seat: number, isForNow: boolean, retryAfterMs = RETRY_MS): void {
    if (!isForNow) {
      this.#playedElsewhere.add(seat)
      return
    }
    clearTimeout(this.#retries.get(seat))
    const again = () => {
      this.#retries.delete(seat)
      const wanted = this.#wanted.get(seat)
      if (wanted !== undefined) this.#send(seat, wanted)
    }
    this.#retries.set(seat, setTimeout(again, retryAfterMs))
  }

  stop(): void {
    for (const timer of this.#retries.values()) clearTimeout(timer)
  }
}

/** The seats that the signed-in user has in a match. Rejects as `matches.getOne` does. */
export async function ownSeats(
  client: Pick<PlayClient, 'user'> & Pick<PlayWire, 'request'>,
  matchId: string,
): Promise<readonly number[]> {
  const match = await client.request('matches.getOne', { matchId })
  const userId = client.user?.id
  if (userId === undefined || typeof match !== 'object' || match === null || !('players' in match)) return []
  const players: readonly unknown[] = Array.isArray(match.players) ? match.players : []
  return players.flatMap((player) => {
    const isOwn = typeof player === 'object' && player !== null && 'userId' in player && player.userId === userId
    return isOwn && 'seat' in player && typeof player.seat === 'number' ? [player.seat] : []
  })
}

/** Calls `leave` when the page would not hear of released keys: it is hidden or left. Gives a function that stops. */
export function onPageLeave(leave: () => void): () => void {
  if (typeof document === 'undefined') return () => {}
  const stopped = new AbortController()
  const { signal } = stopped
  const hidden = () => {
    if (document.visibilityState === 'hidden') leave()
  }
  addEventListener('pagehide', leave, { signal })
  addEventListener('blur', leave, { signal })
  document.addEventListener('visibilitychange', hidden, { signal })
  return () => stopped.abort()
}
