import type { Game } from '../../games/game.ts'
import { indexOfInput } from '../../games/simulate.ts'
import {
  decodeLiveFrame,
  encodeInput,
  encodeJsonInput,
  inputEid,
  type LiveBinaryFrame,
  streamOf,
} from '../../protocol/live-frames.ts'
import { readSnapshot, type Snapshot } from './snapshot.ts'
import type { PlayClient, PlayWire } from './types.ts'

/** Waits before the stream is opened anew, by how many openings in a row did not help. */
const REOPEN_MS = [0, 250, 1_000, 4_000]

/** What of a game is on the wire. */
type WireRules<Input> = Pick<Game<never, Input, never>, 'name' | 'version' | 'idle' | 'input' | 'inputs'>

/** What a stream brings. `load` and `take` throw for what does not fit. */
export interface MatchStreamListener<State, Input> {
  load(snapshot: Snapshot<State, Input>): void
  received(bytes: number): void
  take(frame: LiveBinaryFrame): void
  /** The server ended the stream for good, or the client is closed. */
  ended(reason: 'finished' | 'aborted' | 'closed'): void
  /** The stream cannot be opened, or what the server sends makes no sense. */
  failed(error: unknown): void
}

/**
 * One match on the wire in mode `inputs`: its snapshots, its binary frames both ways, and a new opening when frames do
 * not fit what was said before.
 */
export class MatchStream<State, Input> {
  readonly #client: PlayClient & PlayWire
  readonly #matchId: string
  readonly #game: WireRules<Input>
  readonly #listener: MatchStreamListener<State, Input>
  /** The number of the match in frames; null while frames mean nothing. */
  #number: number | null = null
  #unsubscribe: (() => void) | null = null
  #reopenings = 0
  #reopenTimer: ReturnType<typeof setTimeout> | undefined

  constructor(
    client: PlayClient & PlayWire,
    matchId: string,
    game: WireRules<Input>,
    listener: MatchStreamListener<State, Input>,
  ) {
    this.#client = client
    this.#matchId = matchId
    this.#game = game
    this.#listener = listener
  }

  /** Whether frames can be sent and are read. */
  get isOpen(): boolean {
    return this.#number !== null
  }

  open(): void {
    this.#number = null
    this.#unsubscribe?.()
    // Frames are no events, so the client takes a snapshot for new that is not: no two openings share one.
    const view = Math.floor(Math.random() * 2 ** 32)
    this.#unsubscribe = this.#client.subscribe(
      'live.onState',
      { matchId: this.#matchId, mode: 'inputs', view },
      {
        next: (value) => this.#load(value),
        error: (error) => this.#fail(error),
        end: (reason) => this.#ended(reason),
      },
    )
  }

  /** Opens the stream anew, later each time that this did not help. */
  reopen(): void {
    this.#number = null
    clearTimeout(this.#reopenTimer)
    const waitMs = REOPEN_MS[Math.min(this.#reopenings++, REOPEN_MS.length - 1)] ?? 0
    // Not from within a frame.
    this.#reopenTimer = setTimeout(() => this.open(), waitMs)
  }

  /** What came was right. */
  confirm(): void {
    this.#reopenings = 0
  }

  /** Reads no more frames until the next snapshot. */
  pause(): void {
    this.#number = null
  }

  stop(): void {
    this.#number = null
    clearTimeout(this.#reopenTimer)
    this.#unsubscribe?.()
    this.#unsubscribe = null
  }

  /** Sends an input. Answers how many bytes that took; 0 if it was not sent. */
  send(tick: number, seat: number, input: Input): number {
    if (this.#number === null) return 0
    const index = indexOfInput(this.#game, input)
    const frame =
      index >= 0 ? encodeInput(this.#number, tick, seat, index) : encodeJsonInput(this.#number, tick, seat, input)
    return this.#client.sendFrame(frame) ? frame.length : 0
  }

  receive(bytes: Uint8Array): void {
    if (this.#number === null || streamOf(bytes) !== this.#number) return
    this.#listener.received(bytes.length)
    try {
      const frame = decodeLiveFrame(bytes)
      if (!frame) throw new RangeError('not a frame')
      this.#listener.take(frame)
    } catch {
      // Only the server knows how the match stands.
      this.reopen()
    }
  }

  /** Of these seats the one whose input an error with this `eid` refuses. */
  refusedSeat(eid: string | undefined, seats: readonly number[]): number | undefined {
    const number = this.#number
    return number === null ? undefined : seats.find((seat) => eid === inputEid(number, seat))
  }

  #load(value: unknown): void {
    try {
      const snapshot = readSnapshot<State, Input>(this.#game, value)
      this.#number = snapshot.stream
      this.#listener.load(snapshot)
    } catch (error) {
      this.#fail(error)
    }
  }

  #ended(reason: string): void {
    this.#number = null
    if (reason === 'closed' || reason === 'finished' || reason === 'aborted') this.#listener.ended(reason)
    else this.reopen()
  }

  #fail(error: unknown): void {
    this.#number = null
    this.#listener.failed(error)
  }
}
