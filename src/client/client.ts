import { PROTOCOL, type ServerMessage, type Welcome } from '../protocol/envelope.ts'
import { Clock, ClockSync } from './clock.ts'
import { Connection, watchPage } from './connection.ts'
import { encodeBody, encodeRequest } from './envelopes.ts'
import { answerError, callSite, RallyError, withCallSite } from './errors.ts'
import { EventEmitter } from './event-emitter.ts'
import { endpointsOf, type SocketConstructor, type SocketLike, whyRefused } from './handshake.ts'
import type { play } from './play/play.ts'
import type { Play, PlayableGame, PlayOptions } from './play/types.ts'
import { type Backoff, DEFAULT_BACKOFF } from './reconnect-delay.ts'
import { DEFAULT_TIMEOUT_MS, Requests } from './requests.ts'
import { recover, type SignInOptions, signIn, signOut } from './sign-in.ts'
import { Streams } from './streams.ts'
import type {
  AnyListener,
  CallOptions,
  ClientEvents,
  PasskeyOptions,
  SessionUser,
  SignedIn,
  SignIn,
  Status,
} from './types.ts'

/** What `createClient` takes. docs/client.md has the defaults. */
export interface ClientOptions {
  /** `play` of `rally-client/play`, the netcode: makes `rally.play()` work. */
  readonly play?: typeof play
  /** The server: `http(s):`, `ws(s):` or relative to the page. Default: the origin of the page. */
  readonly url?: string | URL
  /** Default: the global one. */
  readonly WebSocket?: SocketConstructor
  /** Makes the socket, where a constructor is not enough. Goes before `WebSocket`. */
  readonly createSocket?: (url: string, protocol: string) => SocketLike
  /** Closes when the session or token ends, instead of coming back signed out. Default: false. */
  readonly endsWithSession?: boolean
  /** For `/session`. Default: the global one. */
  readonly fetch?: typeof fetch
  /** How long a request waits for its answer, connecting included. */
  readonly timeoutMs?: number
  /** How long a socket may take until its welcome. */
  readonly connectTimeoutMs?: number
  /** Waits between attempts to connect. */
  readonly backoff?: Partial<Backoff>
  /** Requests that may wait to be sent; one more fails. */
  readonly maxQueued?: number
  /** How often the clock is compared with the server's. */
  readonly clockIntervalMs?: number
  /** Wire names of methods that are sent once or dropped. */
  readonly fireAndForget?: readonly string[]
}

/** Bytes waiting in the socket over which fire-and-forget calls are dropped, as they would only be late. */
const MAX_LATE_BYTES = 64 * 1024
/** Calls without an answer whose place is kept, for the error of one that the server refuses. */
const MAX_POSTS = 64
/** While no first socket opens, the server is asked this often at most whether it refuses them. */
const ASK_WHY_REFUSED_MS = 10_000

/** The client without the typed modules that `createClient` adds. */
export class Client {
  readonly clock = new Clock()
  readonly #events = new EventEmitter<ClientEvents>()
  readonly #options: ClientOptions
  readonly #fetch: typeof fetch = (...args) => (this.#options.fetch ?? fetch)(...args)
  readonly #endpoints: ReturnType<typeof endpointsOf>
  readonly #connection: Connection
  readonly #requests: Requests
  readonly #streams: Streams
  readonly #signIn: SignInOptions
  readonly #fireAndForget: ReadonlySet<string>
  /** Where the last calls without an answer were made, by their `eid`. */
  readonly #posts = new Map<string, Error>()
  readonly #closed = new AbortController()
  readonly #clockSync: ClockSync
  #welcome: Welcome | null = null
  #refusal: RallyError | null = null
  #askedWhyRefusedAt = -Infinity

  /** Connects at once. @throws TypeError for an invalid address, or without a WebSocket. */
  constructor(options: ClientOptions = {}) {
    this.#options = options
    this.#endpoints = endpointsOf(options.url)
    this.#fireAndForget = new Set(options.fireAndForget ?? ['live.input'])
    const createSocket = options.createSocket ?? socketFactory(options.WebSocket)
    const backoff = { ...DEFAULT_BACKOFF, ...options.backoff }
    const { timeoutMs = DEFAULT_TIMEOUT_MS, maxQueued } = options
    this.#connection = new Connection({
      createSocket: () => createSocket(this.#endpoints.socket, PROTOCOL),
      connectTimeoutMs: options.connectTimeoutMs,
      backoff,
      endsWithSession: options.endsWithSession ?? false,
      ping: () => this.#clockSync.ping(),
      onStatus: (status) => this.#onStatus(status),
      onWelcome: (welcome) => this.#onWelcome(welcome),
      onMessage: (message) => this.#onMessage(message),
      onFrame: (frame) => this.#events.emit('frame', frame),
      onDrop: () => this.#onDrop(),
      onNeverOpened: () => void this.#askWhyRefused(),
      onSessionEnded: () => this.#refused(new RallyError('UNAUTHENTICATED', 'The session or the token has ended')),
      onBanned: (reason) => this.#refused(new RallyError('BANNED', reason || 'You are banned')),
    })
    this.#requests = new Requests(this.#connection, { refusal: () => this.#refusal, timeoutMs, maxQueued })
    this.#streams = new Streams(this.#connection, this.#requests, backoff, (error) => this.#events.emit('error', error))
    const sendPing = () => {
      const eid = this.#requests.nextEid()
      this.#connection.send(encodeRequest('rpc.ping', eid, '{}'))
      return eid
    }
    this.#clockSync = new ClockSync(this.clock, sendPing, options.clockIntervalMs)
    this.#signIn = {
      connection: this.#connection,
      requests: this.#requests,
      reconnect: () => this.#renew(timeoutMs),
      fetch: this.#fetch,
      sessionUrl: this.#endpoints.session,
      timeoutMs,
      closed: this.#closed.signal,
    }
    watchPage(this.#connection, this.#closed.signal)
    this.#connection.connect()
  }

  get status(): Status {
    return this.#connection.status
  }

  /** The signed-in user by the last welcome; null before the first. */
  get user(): SessionUser | null {
    return this.#welcome?.user ?? null
  }

  get welcome(): Welcome | null {
    return this.#welcome
  }

  /**
   * Why the server refuses to open the first socket (the client goes on trying), that the user is banned, or that a token is
   * worth nothing; null if it does not refuse, or is away.
   */
  get refusal(): RallyError | null {
    return this.#refusal
  }

  /** Returns a function that removes the listener. */
  on<Name extends keyof ClientEvents>(name: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    return this.#events.on(name, listener)
  }

  /** Calls the method `type`; what `createClient` makes of `rally.module.method(...)`. */
  request(type: string, data?: unknown, options: CallOptions = {}): Promise<unknown> {
    if (options.fireAndForget ?? this.#fireAndForget.has(type)) return this.#post(type, data, options.eid)
    return this.#requests.request(type, data, options)
  }

  /** Listens to the subscription `type`. Returns a function that stops. */
  subscribe(type: string, input: unknown, listener: AnyListener): () => void {
    this.#connection.endIdle()
    if (this.status !== 'closed') return this.#streams.subscribe(type, input, listener)
    queueMicrotask(() => listener.end?.('closed'))
    return () => {}
  }

  /** Sends a binary frame if there is an open connection; false if not. */
  sendFrame(frame: Uint8Array<ArrayBuffer>): boolean {
    return this.#connection.bufferedBytes <= MAX_LATE_BYTES && this.#connection.send(frame)
  }

  /** From now on a dead connection is detected within 4 s. Returns a function that ends this; call it once. */
  beLive(): () => void {
    return this.#connection.beLive()
  }

  /** Plays a match, see `play` in `rally-client/play`. @throws TypeError when `createClient` was not given `play`. */
  play<State, Input, Options>(
    matchId: string,
    game: PlayableGame<State, Input, Options>,
    options?: PlayOptions<State>,
  ): Play<State, Input> {
    const { play } = this.#options
    if (!play) throw new TypeError("play() needs createClient({ play }), with play of 'rally-client/play'")
    return play(this, matchId, game, options)
  }

  signIn(username: string): Promise<SignIn> {
    return signIn(username, this.#signIn)
  }

  /** Signs in with a recovery code in place of the app. */
  recover(username: string, recoveryCode: string, options: PasskeyOptions = {}): Promise<SignedIn> {
    return recover(username, recoveryCode, this.#signIn, options)
  }

  /** Ends the session, and resolves when the socket belongs to nobody. */
  signOut(): Promise<void> {
    return signOut(this.#signIn)
  }

  /** Drops the connection, if any, and makes a new one at once; also the way back from `closed` by the server. */
  reconnect(): void {
    if (!this.#closed.signal.aborted) this.#connection.connect()
  }

  /** Ends everything: requests fail with `CLOSED`, streams end, no timer or listener stays. */
  close(): void {
    if (this.#closed.signal.aborted) return
    this.#closed.abort()
    this.#connection.close()
    this.#events.clear()
  }

  async #post(type: string, data: unknown, eid = this.#requests.nextEid()): Promise<object> {
    const body = encodeBody(data)
    if (body === undefined) throw new RallyError('TOO_BIG', 'The input cannot be encoded as JSON', { type, eid })
    this.#posts.set(eid, callSite(this.request))
    const [oldest = ''] = this.#posts.keys()
    if (this.#posts.size > MAX_POSTS) this.#posts.delete(oldest)
    if (this.#connection.bufferedBytes <= MAX_LATE_BYTES) this.#connection.send(encodeRequest(type, eid, body))
    return {}
  }

  #onStatus(status: Status): void {
    if (status === 'closed') {
      this.#streams.close()
      this.#requests.close()
    }
    this.#events.emit('status', status)
    // What was sent while the server closed the connection has no answer yet.
    if (status === 'idle' && this.#requests.areWaiting) this.#connection.endIdle()
  }

  #onWelcome(welcome: Welcome): void {
    const last = this.#welcome
    this.#welcome = welcome
    this.#refusal = null
    const userChanged = last?.user?.id !== welcome.user?.id
    this.#clockSync.start()
    this.#requests.welcome(welcome, () => this.#streams.welcome(userChanged))
    if (userChanged || !last) this.#events.emit('user', welcome.user)
    this.#events.emit('welcome', welcome)
  }

  #onMessage(message: ServerMessage): void {
    if (this.#clockSync.answer(message)) return
    if ('seq' in message) this.#streams.receive(message)
    else if (!this.#requests.answer(message) && !this.#streams.receive(message) && message.error !== undefined) {
      const error = answerError(message.error, message.data, message.type, message.eid)
      const site = this.#posts.get(message.eid)
      this.#events.emit('error', site ? withCallSite(error, site) : error)
    }
  }

  /** A browser does not tell why a handshake failed: asks the server itself, and tells the application. */
  async #askWhyRefused(): Promise<void> {
    const now = performance.now()
    if (now - this.#askedWhyRefusedAt < ASK_WHY_REFUSED_MS) return
    this.#askedWhyRefusedAt = now
    const refusal = await whyRefused(this.#endpoints.handshake, this.#fetch, ASK_WHY_REFUSED_MS)
    if (this.#connection.isOpen || this.status === 'closed') return
    this.#refused(refusal)
    if (refusal?.code === 'UNAUTHENTICATED') this.#connection.close()
  }

  #refused(refusal: RallyError | null): void {
    const isNew = refusal !== null && refusal.code !== this.#refusal?.code
    this.#refusal = refusal
    if (isNew) this.#events.emit('refused', refusal)
  }

  #onDrop(): void {
    this.#clockSync.stop()
    this.#streams.drop()
    this.#requests.drop()
  }

  #renew(timeoutMs: number): Promise<Welcome> {
    let stops: (() => void)[] = []
    const welcome = new Promise<Welcome>((resolve, reject) => {
      const onStatus = (status: Status) => {
        if (status === 'closed') reject(new RallyError('CLOSED', 'The client is closed'))
      }
      const timer = setTimeout(() => reject(new RallyError('TIMEOUT', 'No new connection in time')), timeoutMs)
      this.reconnect()
      stops = [() => clearTimeout(timer), this.on('welcome', resolve), this.on('status', onStatus)]
      onStatus(this.status)
    })
    return welcome.finally(() => {
      for (const stop of stops) stop()
    })
  }
}

function socketFactory(given: ClientOptions['WebSocket']): (url: string, protocol: string) => SocketLike {
  const Socket = given ?? (typeof WebSocket === 'undefined' ? undefined : WebSocket)
  if (!Socket) throw new TypeError('There is no global WebSocket here: pass one')
  return (url, protocol) => new Socket(url, protocol)
}
