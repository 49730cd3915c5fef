import type { Game, Outcome } from '../../games/game.ts'
import type { RallyError } from '../errors.ts'

/** What `play` needs of a client: every client has it. */
export interface PlayClient {
  readonly user: { readonly id: string } | null
  readonly clock: { readonly rttMs: number; readonly lastRttMs: number; readonly jitterMs: number }
  on(name: 'frame', listener: (frame: ArrayBuffer) => void): () => void
  on(name: 'error', listener: (error: RallyError) => void): () => void
  on(name: 'status', listener: (status: string) => void): () => void
}

/** What `play` needs of a client to talk to the server. */
export interface PlayWire {
  subscribe(
    type: string,
    input: unknown,
    listener: { next(value: unknown): void; error(error: RallyError): void; end(reason: string): void },
  ): () => void
  request(type: string, data: unknown): Promise<unknown>
  sendFrame(frame: Uint8Array<ArrayBuffer>): boolean
  /** From now on a dead connection is noticed soon. Gives a function that ends that. */
  beLive(): () => void
}

/** A game with the same rules as the server's. */
export type PlayableGame<State, Input, Options> = Game<State, Input, Options>

/** A new state between two, for drawing: `share` is 0 at `from`, 1 at `to`. What cannot be between is as in `to`. */
export type Blend<State> = (from: State, to: State, share: number) => State

/** The fields of a flat state that are drawn as positions, each with the largest difference that is no jump. */
export type SmoothFields = Readonly<Record<string, number>>

export interface PlayOptions<State> {
  /** The seats played here; none for a spectator. Default: those of the user, which costs a `matches.getOne`. */
  readonly seats?: readonly number[] | undefined
  /** How positions are drawn between two states. Default: the game's `smooth`. */
  readonly smooth?: SmoothFields | Blend<State> | undefined
  /** How long a correction takes to disappear from what is drawn. Default 100; 0 turns it off. */
  readonly smoothMs?: number | undefined
  /** How far behind spectators watch, at least. Default 100. */
  readonly delayMs?: number | undefined
  /** Stops when aborted. */
  readonly signal?: AbortSignal | undefined
  /** A monotonic time in ms. Default `performance.now`. */
  readonly now?: (() => number) | undefined
}

/** A rollback that changed the past. */
export interface Correction {
  /** Ticks stepped again. */
  readonly depth: number
  /** How far off the picture was, in units of the game. */
  readonly distance: number
}

/** What the netcode does, for a debug overlay. Rates are of the last five seconds. */
export interface PlayFigures {
  /** Smoothed round trip, from pings and from answers to inputs. */
  readonly rttMs: number
  /** Mean lateness of regular frames. */
  readonly jitterMs: number
  /** How far the predicted state is ahead of the newest that can be known here; negative for spectators. */
  readonly ticksAhead: number
  /** How late an input may come and still count for its tick: one that is on its way may change what is drawn. */
  readonly rewindTicks: number
  readonly rollbacksPerSecond: number
  /** Ticks stepped again in one rollback; of the last 512. */
  readonly meanRollbackDepth: number
  readonly p99RollbackDepth: number
  /** Rollbacks that changed the picture, and by how much, in units of the game; of the last 512. */
  readonly corrections: number
  readonly meanCorrection: number
  readonly p99Correction: number
  /** Keyframes that had another hash than the state here. */
  readonly desyncs: number
  /** Of this match's binary frames, with the WebSocket's own headers. */
  readonly bytesInPerSecond: number
  readonly bytesOutPerSecond: number
  /** States kept for rollbacks. */
  readonly statesKept: number
}

/** `connecting` until the first snapshot and without a connection; `closed` at the end; otherwise the status of the match. */
export type PlayStatus = 'connecting' | 'waiting' | 'live' | 'finished' | 'aborted' | 'closed'

/** A final state, which no input changes any more. */
export interface Confirmed<State> {
  readonly tick: number
  readonly state: State
  readonly hash: number
}

export interface PlayEnd<State> {
  readonly status: 'finished' | 'aborted'
  readonly tick: number
  readonly state: State
  /** By the rules; null when the match was aborted, or ended because a player left. */
  readonly outcome: Outcome | null
}

export interface PlayEvents<State> {
  status: PlayStatus
  /** A snapshot, an input or the end has changed what to draw. */
  state: State
  /** Once a second, or after each turn. Read it only. */
  confirmed: Confirmed<State>
  correction: Correction
  /** The state differed from the server's. It is read again. */
  desync: { readonly tick: number; readonly hash: number; readonly expected: number }
  end: PlayEnd<State>
  /** The match cannot be followed: it does not exist, or has other rules. */
  error: RallyError
}

/** A match that is played or watched. */
export interface Play<State, Input> extends AsyncDisposable {
  readonly status: PlayStatus
  /** The seats played here; empty for a spectator, and until it is known. */
  readonly seats: readonly number[]
  /** What to draw now; null until there is something. The same as `frame()`. */
  readonly state: State | null
  /** The newest final state. Read it only. */
  readonly confirmed: { readonly tick: number; readonly state: State } | null
  readonly figures: PlayFigures
  /** What to draw at `now`, by the clock in the options: a copy, which the caller may keep. */
  frame(now?: number): State | null
  /**
   * What a seat does from now on, or once in a turn-based game. `seat` is needed only with several seats. Inputs of a
   * game with a clock that cannot be sent yet are kept and sent later; turns are not. Answers whether it had an effect
   * here at once. @throws RallyError VALIDATION_FAILED for what is no input of the game.
   */
  input(input: Input, seat?: number): boolean
  /** Gives a function that removes the listener. */
  on<Name extends keyof PlayEvents<State>>(name: Name, listener: (value: PlayEvents<State>[Name]) => void): () => void
  /** Stops following the match. No listener or timer stays. */
  stop(): void
}
