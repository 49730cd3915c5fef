import type { Authorized, Begun, User } from '../modules/auth/types.ts'
import type { AnyApi, FrameworkCode, MethodShape, SubscriptionShape } from '../protocol/api.ts'
import type { Welcome } from '../protocol/envelope.ts'
import type { Clock } from './clock.ts'
import type { SocketConstructor, SocketLike, Status } from './connection.ts'
import type { ClientCode, RallyError } from './errors.ts'
import type { play } from './play/play.ts'
import type { Play, PlayableGame, PlayOptions } from './play/types.ts'
import type { Backoff } from './reconnect-delay.ts'

/** Who the socket belongs to. */
export type SessionUser = NonNullable<Welcome['user']>

export interface CallOptions {
  /** Gives up waiting when aborted; what was sent already may still happen. */
  readonly signal?: AbortSignal | undefined
  /** How long to wait for the answer, connecting included. Default: the client's `timeoutMs`. */
  readonly timeoutMs?: number | undefined
  /**
   * How long the call may be without a connection at a time, before it is sent or after the one it was sent on broke;
   * then it fails, with `OFFLINE` or, if it may have happened, `TIMEOUT`. For what somebody does now and does not want
   * to be done later. Default: until `timeoutMs`.
   */
  readonly offlineMs?: number | undefined
  /** Id of the exchange, 1 to 64 characters; with the `eid` of a failed write, it happens at most once. */
  readonly eid?: string | undefined
  /** Send once if there is a connection, else drop; resolves with `{}` at once. Default: on for `live.input` alone. */
  readonly fireAndForget?: boolean | undefined
}

/** What `try` resolves to, so that the compiler knows which codes are possible. */
export type Result<Output, Code extends string> =
  | { readonly ok: true; readonly data: Output }
  | { readonly ok: false; readonly error: RallyError<Code> }

/** Codes a request with the declared `Errors` may fail with. */
export type CodeOf<Errors extends string> = Errors | FrameworkCode | ClientCode

type Args<Input> =
  Record<never, never> extends Input ? [input?: Input, options?: CallOptions] : [input: Input, options?: CallOptions]

/** One method. Rejects with a `RallyError`; `try` resolves in either case, with the error's codes typed. */
export interface MethodCall<M extends MethodShape> {
  (...args: Args<M['input']>): Promise<M['output']>
  try(...args: Args<M['input']>): Promise<Result<M['output'], CodeOf<M['errors']>>>
}

/** What a value of a stream is, and where it belongs. */
export interface StreamInfo {
  /** `snapshot`: all there is up to `seq`. `event`: the next one. `missed`: one of those missed while away. */
  readonly kind: 'snapshot' | 'event' | 'missed'
  readonly seq: number
  /** A snapshot that stands for events which can no longer be told one by one. */
  readonly gap?: true
}

/** How a stream went on after a lost connection or a gap. */
export interface Healed {
  /** With every missed event, or with a snapshot instead of them. */
  readonly kind: 'missed' | 'snapshot'
  /** The last `seq` before. */
  readonly fromSeq: number
  readonly seq: number
  /** The log no longer went back to `fromSeq`. */
  readonly gap: boolean
}

interface StreamListener<Code extends string> {
  /** The stream could not be opened, or opened again; it is over. Temporary errors are tried again instead. */
  error?(error: RallyError<Code>): void
  /** The server ended the stream, or the client was closed (`reason` is then `closed`). */
  end?(reason: string): void
  /** The stream goes on after an interruption; called after the values that fill it in. */
  healed?(how: Healed): void
}

/** A listener that takes snapshots and events alike: for streams of a state. */
export interface Listener<Snapshot, Event, Code extends string = string> extends StreamListener<Code> {
  readonly snapshot?: never
  next(value: Snapshot | Event, info: StreamInfo): void
}

/** A listener that takes snapshots apart from events: for logs, and streams of changes. */
export interface SnapshotListener<Snapshot, Event, Code extends string = string> extends StreamListener<Code> {
  snapshot(value: Snapshot, info: StreamInfo): void
  next(event: Event, info: StreamInfo): void
}

/** One subscription. Gives a function that stops listening. */
export interface SubscriptionCall<S extends SubscriptionShape> {
  (input: S['input'], listener: SnapshotListener<S['snapshot'], S['event'], CodeOf<S['errors']>>): () => void
  (input: S['input'], listener: Listener<S['snapshot'], S['event'], CodeOf<S['errors']>>): () => void
}

/** Any listener, where types are no longer known. */
export type AnyListener = Listener<unknown, unknown> | SnapshotListener<unknown, unknown>

type Call<Shape> = Shape extends MethodShape
  ? MethodCall<Shape>
  : Shape extends SubscriptionShape
    ? SubscriptionCall<Shape>
    : never

export type Calls<Api extends AnyApi> = {
  readonly [Name in keyof Api]: { readonly [Key in keyof Api[Name]]: Call<Api[Name][Key]> }
}

export interface ClientEvents {
  status: Status
  /** Who the socket belongs to, after the first welcome and whenever that changes. */
  user: SessionUser | null
  /** Every new connection. */
  welcome: Welcome
  /** A binary frame, for the protocols that define one. */
  frame: ArrayBuffer
  /** An error that nothing else was told of: of a fire-and-forget call, or of a stream without an `error` listener. */
  error: RallyError
}

/** A sign-in that waits for the six digits of the authenticator app. */
export type SignIn = Begun & {
  /**
   * Sends the digits, and resolves when the socket belongs to the user.
   *
   * @throws RallyError `INVALID_CODE` (call again with other digits), `RATE_LIMITED`, `USERNAME_TAKEN`, or
   * `NO_CHALLENGE`: it took too long, or the connection of a registration was lost and its secret is void.
   */
  verify(code: string, options?: VerifyOptions): Promise<SignedIn>
}

export interface VerifyOptions extends Pick<CallOptions, 'signal'> {
  /**
   * Called with the recovery codes of a registration as soon as they are here, before the socket belongs to the user.
   * The account exists by then: what may still fail is the session, and the codes are told only this once.
   */
  readonly onRecoveryCodes?: (codes: readonly string[], user: User) => void
}

export interface SignedIn {
  readonly user: User
  /** With a registration, this once: each lets the user in without the app, one time. */
  readonly recoveryCodes?: Authorized['recoveryCodes']
}

/** What every client has besides the modules of its server. */
export interface ClientCore {
  readonly status: Status
  /** Who is signed in, as far as the last welcome said; null before the first. */
  readonly user: SessionUser | null
  readonly welcome: Welcome | null
  readonly clock: Clock
  /** Gives a function that removes the listener. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (value: ClientEvents[Name]) => void): () => void
  /**
   * Plays or watches a match, see `play` in `rally/client/play`.
   *
   * @throws TypeError when `createClient` was not given `play`: who does not need the netcode does not load it.
   */
  play<State, Input, Options>(
    matchId: string,
    game: PlayableGame<State, Input, Options>,
    options?: PlayOptions<State>,
  ): Play<State, Input>
  signIn(username: string): Promise<SignIn>
  /** Signs in with a recovery code in place of the app. */
  recover(username: string, recoveryCode: string): Promise<SignedIn>
  /** Ends the session, and resolves when the socket belongs to nobody. */
  signOut(): Promise<void>
  /** Drops the connection, if any, and makes a new one at once; also the way back from `closed` by the server. */
  reconnect(): void
  /** Ends everything: requests fail with `CLOSED`, streams end, no timer or listener stays. */
  close(): void
}

/** A client of a server whose modules are `Api`. */
export type Rally<Api extends AnyApi> = ClientCore & Calls<Api>

export interface ClientOptions {
  /** The netcode, out of `rally/client/play`: what makes `rally.play()` work. */
  readonly play?: typeof play
  /** The server: `http(s):`, `ws(s):` or relative to the page. Default: the origin of the page. */
  readonly url?: string | URL
  /** Default: the global one. */
  readonly WebSocket?: SocketConstructor
  /** Makes the socket, where a constructor is not enough (cookies in Node). Goes before `WebSocket`. */
  readonly createSocket?: (url: string, protocol: string) => SocketLike
  /** For `/session`. Default: the global one. */
  readonly fetch?: typeof fetch
  /** How long a request waits for its answer, connecting included. Default 12,000. */
  readonly timeoutMs?: number
  /** How long a socket may take until its welcome. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** Waits between attempts to connect. Default 500 to 20,000. */
  readonly backoff?: Partial<Backoff>
  /** Requests that may wait to be sent; over it they fail. Default 256. */
  readonly maxQueued?: number
  /** How often the clock is compared with the server's. Default 15,000. */
  readonly clockIntervalMs?: number
  /** Wire names of methods that are sent once or dropped. Default `['live.input']`. */
  readonly fireAndForget?: readonly string[]
}
