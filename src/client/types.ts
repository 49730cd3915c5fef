import type { AnyApi, MethodShape, SubscriptionShape } from '../protocol/api.ts'
import type { FrameworkCode } from '../protocol/codes.ts'
import type { Welcome } from '../protocol/envelope.ts'
import type { ClientCode, RallyError } from './errors.ts'

/**
 * `connecting` until the first welcome; `reconnecting` while another connection is made; `idle` after the server closed
 * an unused one (the next call or user action makes another); `closed` by `close()` or a server that says stay away.
 */
export type Status = 'connecting' | 'open' | 'reconnecting' | 'idle' | 'closed'

/** The user of a socket. */
export type SessionUser = NonNullable<Welcome['user']>

export interface CallOptions {
  /** Gives up waiting when aborted; what was sent already may still happen. */
  readonly signal?: AbortSignal | undefined
  /** How long to wait for the answer, connecting included. Default: the client's `timeoutMs`. */
  readonly timeoutMs?: number | undefined
  /**
   * How long the call may be without a connection at a time. Then it fails, with `OFFLINE` or, if it may have happened,
   * `TIMEOUT`. Default: until `timeoutMs`.
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

/** Codes that a request with the declared `Errors` may fail with. */
export type CodeOf<Errors extends string> = Errors | FrameworkCode | ClientCode

type Args<Input> =
  Record<never, never> extends Input ? [input?: Input, options?: CallOptions] : [input: Input, options?: CallOptions]

/** One method. Rejects with a `RallyError`; `try` resolves in either case, with the error's codes typed. */
export interface MethodCall<M extends MethodShape> {
  (...args: Args<M['input']>): Promise<M['output']>
  try(...args: Args<M['input']>): Promise<Result<M['output'], CodeOf<M['errors']>>>
}

/** What a value of a stream is, and its place in it. */
export interface StreamInfo {
  /** `snapshot`: all there is up to `seq`. `event`: the next one. `missed`: one of those missed while away. */
  readonly kind: 'snapshot' | 'event' | 'missed'
  readonly seq: number
  /** A snapshot that stands for events which the server can no longer send one by one. */
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
  /** The stream goes on after an interruption; called after the values that were missed. */
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

/** One subscription. Returns a function that stops listening. */
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
  /** The user of the socket, after the first welcome and whenever it is another. */
  user: SessionUser | null
  /** Every new connection. */
  welcome: Welcome
  /** A binary frame, for the protocols that define one. */
  frame: ArrayBuffer
  /** The server answers, but refuses to open a first socket, the user is banned, or a token is worth nothing: see `refusal`. */
  refused: RallyError
  /** An error that no promise or listener got: of a fire-and-forget call, or of a stream without an `error` listener. */
  error: RallyError
}

/** A user as `auth.me` answers it. `createdAt` in ms since the epoch. */
export interface User {
  readonly id: string
  readonly username: string
  readonly displayName: string
  readonly createdAt: number
  /** An `admin` may call what has `access: 'admin'`. */
  readonly role: 'player' | 'admin'
  /** When an admin last reset the authenticator. */
  readonly authenticatorResetAt: number | null
}

/** What `auth.begin` answers: the name has an account, or it is free and this is what an app needs to register it. */
export type Begun =
  | { readonly status: 'user' }
  | {
      readonly status: 'candidate'
      /** `data:image/png;base64,...` */
      readonly qrCode: string
      /** `otpauth://totp/...` */
      readonly otpauthUrl: string
      /** The same secret in base32, to type by hand. */
      readonly secret: string
    }

/** A sign-in that waits for the six digits of the authenticator app. */
export type SignIn = Begun & {
  /**
   * Sends the digits, and resolves when the socket belongs to the user. @throws RallyError `INVALID_CODE` (call again
   * with other digits), `INVALID_PASSKEY`, `RATE_LIMITED`, `USERNAME_TAKEN`, or `NO_CHALLENGE`: it took too long, or the
   * connection of a registration was lost, and its secret with it.
   */
  verify(code: string, options?: VerifyOptions): Promise<SignedIn>
}

interface KnownPasskey {
  /** Bytes are in base64url, here and below. */
  readonly id: string
  readonly type: 'public-key'
  readonly transports: readonly string[]
}

/** What the browser needs to sign with a passkey. */
export interface PasskeyRequest {
  readonly challenge: string
  readonly rpId: string
  /** Milliseconds. */
  readonly timeout: number
  readonly userVerification: 'required'
  readonly allowCredentials: readonly KnownPasskey[]
}

/** What the browser needs to make a passkey. */
export interface PasskeyCreation {
  readonly challenge: string
  readonly rp: { readonly id: string; readonly name: string }
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string }
  readonly pubKeyCredParams: readonly { readonly type: 'public-key'; readonly alg: number }[]
  /** Milliseconds. */
  readonly timeout: number
  readonly attestation: 'none'
  readonly authenticatorSelection: {
    readonly residentKey: 'preferred'
    readonly requireResidentKey: false
    readonly userVerification: 'required'
  }
  readonly excludeCredentials: readonly KnownPasskey[]
}

/** What the browser answers to a PasskeyCreation. */
export interface CreatedPasskey {
  readonly id: string
  readonly type: 'public-key'
  readonly response: {
    readonly clientDataJSON: string
    readonly attestationObject: string
    readonly transports: string[]
  }
}

/** What the browser answers to a PasskeyRequest. */
export interface SignedPasskey {
  readonly id: string
  readonly type: 'public-key'
  readonly response: {
    readonly clientDataJSON: string
    readonly authenticatorData: string
    readonly signature: string
    readonly userHandle?: string
  }
}

/** What the server asks for after a right code where it wants a passkey too: one of the user's, or a new one. */
export type PasskeyAsked =
  | { readonly status: 'passkey'; readonly request: PasskeyRequest }
  | { readonly status: 'newPasskey'; readonly creation: PasskeyCreation }

export type PasskeyStep = PasskeyAsked & {
  /**
   * Uses up a recovery code in place of a lost passkey, and gives the next step: a new passkey, which replaces all others.
   *
   * @throws RallyError `INVALID_CODE`, `RATE_LIMITED`, or `NO_CHALLENGE`, also where a new passkey is asked for.
   */
  recover(recoveryCode: string): Promise<PasskeyStep>
}

export interface PasskeyAnswer {
  readonly credential: CreatedPasskey | SignedPasskey
  /** What the user calls a new passkey, 1 to 40 characters. */
  readonly name?: string
}

export interface PasskeyOptions extends Pick<CallOptions, 'signal'> {
  /** Called where the server wants a passkey, within five minutes. Default: the browser's dialog, at once. */
  readonly passkey?: (step: PasskeyStep) => Promise<PasskeyAnswer>
}

export interface VerifyOptions extends PasskeyOptions {
  /** Called with the recovery codes of a registration at once: the session may still fail, and they come only once. */
  readonly onRecoveryCodes?: (codes: readonly string[], user: User) => void
}

export interface SignedIn {
  readonly user: User
  /** Only after a registration: each signs the user in without the app, once. */
  readonly recoveryCodes?: readonly string[]
}
