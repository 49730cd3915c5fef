import type { Game } from '../../games/game.ts'
import { type InputChange, indexOfInput } from '../../games/simulate.ts'
import {
  decodeLiveFrame,
  encodeInput,
  encodeJsonInput,
  inputEid,
  type LiveBinaryFrame,
  streamOf,
} from '../../protocol/live-frames.ts'
import { RallyError } from '../errors.ts'
import type { Start } from './rollback.ts'
import type { PlayWire } from './types.ts'

/** How long to wait before the stream is opened again, by the number of failed openings in a row. */
const REOPEN_MS = [0, 250, 1_000, 4_000]

type WireRules<Input> = Pick<Game<never, Input, never>, 'name' | 'version' | 'idle' | 'input' | 'inputs'>

/** What the server says first: a final state and all that has been decided since. */
export interface Snapshot<State, Input> extends Start<State, Input> {
  readonly status: 'waiting' | 'live' | 'finished' | 'aborted'
  /** Names the match in binary frames; null when none will come. */
  readonly stream: number | null
  /** Steps that the server had done when it answered. */
  readonly now: number
  /** The keyframe of tick t is sent at tick t + `rewindTicks`. */
  readonly rewindTicks: number
}

export interface MatchStreamOptions<State, Input> {
  readonly wire: PlayWire
  readonly matchId: string
  readonly game: WireRules<Input>
  /** Called for each snapshot. Throws if it is invalid. */
  load(snapshot: Snapshot<State, Input>): void
  /** Called for each frame, after `onBytes`. Throws if it contradicts earlier frames. */
  take(frame: LiveBinaryFrame): void
  onBytes(count: number): void
  /** The server ended the stream for good, or the client is closed. */
  onEnd(reason: 'finished' | 'aborted' | 'closed'): void
  /** The stream cannot be opened, or its snapshot makes no sense. */
  onError(error: unknown): void
}

/** One match on the wire in mode `inputs`: its snapshots, its frames both ways, and a new opening when frames do not fit. */
export class MatchStream<State, Input> {
  readonly #options: MatchStreamOptions<State, Input>
  /** The number of the match in frames; null while frames mean nothing. */
  #number: number | null = null
  #unsubscribe: (() => void) | null = null
  #reopenings = 0
  #reopenTimer: ReturnType<typeof setTimeout> | undefined

  constructor(options: MatchStreamOptions<State, Input>) {
    this.#options = options
  }

  /** Whether frames are read and can be sent. */
  get isOpen(): boolean {
    return this.#number !== null
  }

  open(): void {
    const { wire, matchId, onError } = this.#options
    this.stop()
    // The client shares openings of the same input, and their snapshot would be old: frames are no events for it.
    const view = Math.floor(Math.random() * 2 ** 32)
    this.#unsubscribe = wire.subscribe(
      'live.onState',
      { matchId, mode: 'inputs', view },
      { next: (value) => this.#load(value), error: onError, end: (reason) => this.#end(reason) },
    )
  }

  /** Opens the stream again, not from within a frame, and after a longer wait each time that this failed. */
  reopen(): void {
    this.pause()
    clearTimeout(this.#reopenTimer)
    const waitMs = REOPEN_MS[Math.min(this.#reopenings++, REOPEN_MS.length - 1)]
    this.#reopenTimer = setTimeout(() => this.open(), waitMs)
  }

  /** The states agree with the server's: the next `reopen` need not wait. */
  confirm(): void {
    this.#reopenings = 0
  }

  /** Reads no more frames until the next snapshot. */
  pause(): void {
    this.#number = null
  }

  stop(): void {
    this.pause()
    clearTimeout(this.#reopenTimer)
    this.#unsubscribe?.()
    this.#unsubscribe = null
  }

  /** Sends an input. Answers how many bytes that took; 0 if it was not sent. */
  send(tick: number, seat: number, input: Input): number {
    const { wire, game } = this.#options
    if (this.#number === null) return 0
    const index = indexOfInput(game, input)
    const frame =
      index >= 0 ? encodeInput(this.#number, tick, seat, index) : encodeJsonInput(this.#number, tick, seat, input)
    return wire.sendFrame(frame) ? frame.length : 0
  }

  receive(bytes: Uint8Array): void {
    if (this.#number === null || streamOf(bytes) !== this.#number) return
    this.#options.onBytes(bytes.length)
    try {
      const frame = decodeLiveFrame(bytes)
      if (!frame) throw new RangeError('not a frame')
      this.#options.take(frame)
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
      const snapshot = readSnapshot<State, Input>(this.#options.game, value)
      this.#number = snapshot.stream
      this.#options.load(snapshot)
    } catch (error) {
      this.#options.onError(error)
    }
  }

  #end(reason: string): void {
    this.pause()
    if (reason === 'closed' || reason === 'finished' || reason === 'aborted') this.#options.onEnd(reason)
    else this.reopen()
  }
}

/** @throws RallyError BAD_SNAPSHOT for what is no input of the game. */
export function readInput<Input>(game: Pick<WireRules<Input>, 'input'>, value: unknown): Input {
  const parsed = game.input.safeParse(value)
  if (!parsed.success) throw bad('input')
  return parsed.data
}

/** @throws RallyError WRONG_GAME for another game or other rules, BAD_SNAPSHOT for what is no snapshot. */
function readSnapshot<State, Input>(game: WireRules<Input>, value: unknown): Snapshot<State, Input> {
  if (!isRecord(value)) throw bad('no object')
  const { tick, now, stream, rewindTicks, status, inputs, changes, rulesVersion } = value
  if (value.game !== game.name || rulesVersion !== game.version) {
    throw new RallyError('WRONG_GAME', `The match is ${value.game} ${rulesVersion}, not ${game.name} ${game.version}`)
  }
  if (!isCount(tick) || !isCount(now) || !isCount(rewindTicks)) throw bad('ticks')
  if (stream !== null && !isCount(stream)) throw bad('stream')
  if (status !== 'waiting' && status !== 'live' && status !== 'finished' && status !== 'aborted') throw bad('status')
  if (!Array.isArray(inputs) || !Array.isArray(changes)) throw bad('inputs')
  return {
    tick,
    now,
    stream,
    rewindTicks,
    status,
    // It needs no check: the server has the same rules, and hashes are compared every second.
    state: value.state as State,
    inputs: inputs.map((input) => readInput(game, input)),
    changes: changes.map((change) => readChange(game, change)),
  }
}

function readChange<Input>(game: WireRules<Input>, value: unknown): InputChange<Input> {
  const [tick, seat, input]: readonly unknown[] = Array.isArray(value) ? value : []
  if (!isCount(tick) || !isCount(seat)) throw bad('change')
  return { tick, seat, input: readInput(game, input) }
}

function bad(what: string): RallyError {
  return new RallyError('BAD_SNAPSHOT', `Not a snapshot of a match: ${what}`)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
