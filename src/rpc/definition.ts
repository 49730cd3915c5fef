import type { z } from 'zod'
import { frameworkCodes, type TokenScope } from '../protocol/index.ts'
import { RpcError } from './errors.ts'

/** Who may call it: everybody, users with a session, or those of them whose role is `admin`. */
export type Access = 'anyone' | 'user' | 'admin'

/**
 * The effect of a method. `read` changes nothing. `write` is executed at most once per user and `eid`; its handler runs
 * in one database transaction, which also keeps the answer. `input` is answered only on an error, counted against its own
 * limit, and repeating it does no harm.
 */
export type Effect = 'read' | 'write' | 'input'

/** At most `points` calls in `perSeconds`, per user, or per address group where there is no user. */
export interface RateLimit {
  readonly points: number
  readonly perSeconds: number
}

/**
 * How a slow socket gets the events of a stream. `reliable`: all of them in order, else the socket is closed with 4008.
 * `latest`: a socket with too much unsent is skipped, and gets the newest event once it has drained.
 */
export type Delivery = 'reliable' | 'latest'

/** Makes the error that a handler throws; takes only the codes that the definition declares. */
export type Fail<Code extends string> = (
  code: Code,
  message?: string,
  details?: ConstructorParameters<typeof RpcError>[2],
) => RpcError

export const fail: Fail<string> = (code, message, details) => new RpcError(code, message, details)

/** How a method takes inputs in binary frames. */
export interface BinaryInput<Ctx> {
  /** The `eid` that a refusal of this frame is answered with. Takes any bytes and never throws. */
  eidOf(bytes: Uint8Array): string
  /**
   * Takes a frame; false when it is no frame of this method. The bytes are lent until it returns, also a promise.
   * @throws RpcError to refuse it; a promise rejects with it
   */
  receive(args: { ctx: Ctx; bytes: Uint8Array }): boolean | Promise<void>
}

/** A context; its user is not null where `access` is `user` or `admin`. */
export type ContextFor<Ctx, A extends Access> = A extends 'user' | 'admin'
  ? Ctx extends { readonly user: infer User }
    ? Ctx & { readonly user: NonNullable<User> }
    : Ctx
  : Ctx

type Awaitable<T> = T | Promise<T>

/** What a token needs to call a definition: one scope. `none`: no token may. `any`: every token may. */
export type NeededScope = TokenScope | 'none' | 'any'

interface Definition<A extends Access, I extends z.ZodType, E extends string> {
  /** One line for the generated documents: a sentence that says what it does. */
  readonly summary: string
  readonly access: A
  readonly scope: NeededScope
  readonly limit?: RateLimit
  readonly input: I
  readonly errors: readonly E[]
}

export interface Method<
  Ctx,
  A extends Access = Access,
  I extends z.ZodType = z.ZodType,
  O extends z.ZodType = z.ZodType,
  E extends string = string,
  P = unknown,
> extends Definition<A, I, E> {
  readonly kind: 'method'
  readonly effect: Effect
  readonly output: O
  /** Of a `write`: its answers hold secrets and are kept encrypted. */
  readonly secretAnswer?: boolean
  /** The largest body over HTTP, in bytes; a frame has `limits.frameBytes` all the same. Default: that of a frame. */
  readonly httpBodyBytes?: number
  /** Of an `input` that also comes in binary frames. */
  readonly binary?: BinaryInput<ContextFor<Ctx, A>>
  /** Of a `write`: work that must not hold a transaction open. It runs once, before the transaction begins. */
  prepare?(args: { ctx: ContextFor<Ctx, A>; input: z.output<I> }): Awaitable<P>
  /** `prepared` is what `prepare` gave. */
  handle(args: { ctx: ContextFor<Ctx, A>; input: z.output<I>; fail: Fail<E>; prepared: P }): Awaitable<z.input<O>>
}

/** The most that following a stream costs in a second. */
export interface Cost {
  readonly frames: number
  readonly bytes: number
}

export interface ChannelOptions {
  /** Of a `latest` stream: events build on one another, so a follower who missed one must subscribe again. */
  readonly incremental?: boolean
  /** Turns a binary frame of any node into the frame for sockets of this node. */
  readonly localize?: (frame: Uint8Array) => Uint8Array
  /** A socket follows one channel with the same `oneOf`: opening another one ends it with `replaced`. */
  readonly oneOf?: string
  /** What it costs of the budget of a socket, a user or an address. Default: nothing. */
  readonly cost?: Cost
}

/**
 * Where the events of one stream are published, named `<subscription>` or `<subscription>/<key>`. The type parameter is
 * the event, so only such events can be published to it.
 */
export interface Channel<Event> extends ChannelOptions {
  readonly name: string
  /** The wire name of the subscription: the `type` of its events. */
  readonly type: string
  /** Never set: it carries the type of the events. */
  readonly event?: Event
}

/** Names a channel of the subscription `type`; `key` distinguishes the streams of one subscription. */
export function channel<Event>(type: string, key = '', options: ChannelOptions = {}): Channel<Event> {
  return { name: key === '' ? type : `${type}/${key}`, type, ...options }
}

/** How a stream opens: its channel, and the state or the missed events up to `seq`. */
export type Opened<Event, Snapshot> = { readonly channel: Channel<Event>; readonly seq: number } & (
  | {
      readonly snapshot: Snapshot
      readonly gap?: true
      /** No event will follow: the stream ends at once, for this reason. */
      readonly over?: string
    }
  | { readonly missed: readonly { readonly seq: number; readonly data: Event }[]; readonly over?: undefined }
)

export interface Subscription<
  Ctx,
  A extends Access = Access,
  I extends z.ZodType = z.ZodType,
  V extends z.ZodType = z.ZodType,
  S extends z.ZodType = V,
  E extends string = string,
> extends Definition<A, I, E> {
  readonly kind: 'subscription'
  readonly delivery: Delivery
  readonly event: V
  readonly snapshot: S
  /**
   * Reads what the stream opens with. `since` is the last `seq` that the client knows: a log gives the events after it, a
   * state ignores it. Any client may send `since`, so `input` does not declare it. Called again if events came meanwhile.
   */
  open(args: {
    ctx: ContextFor<Ctx, A>
    input: z.output<I>
    since: number | undefined
    fail: Fail<E>
  }): Awaitable<Opened<z.input<V>, z.input<S>>>
}

// biome-ignore-start lint/suspicious/noExplicitAny: definitions are contravariant in their context and input, so `unknown` would fit none
export type AnyMethod = Method<any, any, any, any, any, any>
export type AnySubscription = Subscription<any, any, any, any, any, any>
// biome-ignore-end lint/suspicious/noExplicitAny: see above
export type AnyDefinition = AnyMethod | AnySubscription

/** A definition with access `anyone` must have a limit. */
type LimitOf<A extends Access> = 'anyone' extends A ? { readonly limit: RateLimit } : { readonly limit?: RateLimit }

/** A write must have a limit too. */
type LimitOfWrite =
  | { readonly effect: 'write'; readonly limit: RateLimit }
  | { readonly effect: 'read' | 'input'; readonly limit?: RateLimit }

/** What is for admins has no scope: no token may call it. Default: `read` for reads and subscriptions, else `none`. */
type ScopeOf<A extends Access> = A extends 'admin' ? { readonly scope?: 'none' } : { readonly scope?: NeededScope }

/** `method()` and `subscription()` for handlers that are given a `Ctx`. */
export function definers<Ctx>() {
  return {
    method<A extends Access, I extends z.ZodType, O extends z.ZodType, const E extends string = never, P = undefined>(
      definition: Omit<Method<Ctx, A, I, O, E, P>, 'kind' | 'errors' | 'effect' | 'limit' | 'scope'> &
        LimitOf<A> &
        LimitOfWrite &
        ScopeOf<A> & { readonly errors?: readonly E[] },
    ): Method<Ctx, A, I, O, E, P> {
      const { access, effect, errors = [] } = definition
      const scope = definition.scope ?? (access !== 'admin' && effect === 'read' ? 'read' : 'none')
      return { ...definition, scope, errors, kind: 'method' }
    },

    subscription<
      A extends Access,
      I extends z.ZodType,
      V extends z.ZodType,
      S extends z.ZodType = V,
      const E extends string = never,
    >(
      definition: Omit<Subscription<Ctx, A, I, V, S, E>, 'kind' | 'errors' | 'snapshot' | 'limit' | 'scope'> &
        LimitOf<A> &
        ScopeOf<A> & { readonly errors?: readonly E[]; readonly snapshot?: S },
    ): Subscription<Ctx, A, I, V, S, E> {
      // Without its own schema the snapshot has the schema of events: then `S` is `V`.
      const snapshot = definition.snapshot ?? (definition.event as unknown as S)
      const { access, errors = [] } = definition
      const scope = definition.scope ?? (access === 'admin' ? 'none' : 'read')
      return { ...definition, scope, errors, kind: 'subscription', snapshot }
    },
  }
}

/** Whether `code` is one that `definition` may answer with. */
export function declares(definition: AnyDefinition, code: string): boolean {
  return definition.errors.includes(code) || frameworkCodes.some((known) => known === code)
}
