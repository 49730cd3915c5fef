import { isSameInput } from '../../games/simulate.ts'
import type { PlayClient, PlayWire } from './types.ts'

/** Wait before an input that was refused is sent again, where the server names none. */
const RETRY_MS = 250

/**
 * What the player wants of each seat of a game with a clock, and whether it is for this session to say so: the seat is
 * played where somebody did something last, which may be another tab.
 */
export class OwnInputs<Input> {
  readonly #idle: Input
  readonly #send: (seat: number, input: Input) => void
  readonly #wanted = new Map<number, Input>()
  /** Seats that are played elsewhere, until the player does something here. */
  readonly #yielded = new Set<number>()
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
    this.#yielded.delete(seat)
  }

  keepOnly(seats: readonly number[]): void {
    for (const seat of this.#wanted.keys()) if (!seats.includes(seat)) this.#wanted.delete(seat)
  }

  /** Says again what the server seems not to know: what was pressed before it listened, or lost with a connection. */
  say(isHeld: (seat: number, input: Input) => boolean): void {
    for (const [seat, input] of this.#wanted) {
      if (!this.#yielded.has(seat) && !isHeld(seat, input)) this.#send(seat, input)
    }
  }

  /**
   * There is a new connection, and what came by the last one the server lets go of, at once or when it notices. What is
   * pressed is said again even if it is held still, so that it is held by this one.
   */
  sayAgain(): void {
    for (const [seat, input] of this.#wanted) {
      if (isSameInput(input, this.#idle)) this.#wanted.delete(seat)
      else if (!this.#yielded.has(seat)) this.#send(seat, input)
    }
  }

  /** The server's word. What was not said here and is not wanted here was said elsewhere: to insist would be a fight. */
  decided(seat: number, input: Input, isOwn: boolean): void {
    if (isOwn || this.wants(seat, input)) this.#yielded.delete(seat)
    else this.#yielded.add(seat)
  }

  /** Nobody is at the keys any more. */
  letGo(): void {
    for (const [seat, input] of this.#wanted) {
      if (isSameInput(input, this.#idle)) continue
      this.#wanted.set(seat, this.#idle)
      if (!this.#yielded.has(seat)) this.#send(seat, this.#idle)
    }
  }

  /** The server did not take an input. Where that is for now, what is wanted then is sent again. */
  refused(seat: number, isForNow: boolean, retryAfterMs = RETRY_MS): void {
    if (!isForNow) {
      this.#yielded.add(seat)
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

/**
 * Calls `leave` when the page is hidden, left or no longer has the keyboard: what is let go of from then on is not heard.
 * Where there is no page (Node) it never does. Gives a function that stops.
 */
export function onLeaving(leave: () => void): () => void {
  if (typeof document === 'undefined') return () => {}
  const hidden = () => {
    if (document.visibilityState === 'hidden') leave()
  }
  addEventListener('pagehide', leave)
  addEventListener('blur', leave)
  document.addEventListener('visibilitychange', hidden)
  return () => {
    removeEventListener('pagehide', leave)
    removeEventListener('blur', leave)
    document.removeEventListener('visibilitychange', hidden)
  }
}
