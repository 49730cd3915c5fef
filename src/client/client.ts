import { PROTOCOL, type ServerMessage, type Welcome } from '../protocol/envelope.ts'
import { Clock, localNow } from './clock.ts'
import { Connection, endpointsOf, onActivity, onWake, type SocketLike, type Status } from './connection.ts'
import { answerError, RallyError } from './errors.ts'
import { Emitter } from './event-emitter.ts'
import type { Play, PlayableGame, PlayOptions } from './play/types.ts'
import { encode, encodeRequest, Requests } from './requests.ts'
import { recover, type SignInOptions, signIn, signOut } from './sign-in.ts'
import { Streams } from './streams.ts'
import type {
  AnyListener,
  CallOptions,
  ClientCore,
  ClientEvents,
  ClientOptions,
  SessionUser,
  SignedIn,
  SignIn,
} from './types.ts'

/** Pings right after a connection, and their distance: the clock is good within a second. */
const FIRST_PINGS = 5
const FIRST_PING_MS = 200
/** Pings whose answers are waited for. */
const MAX_PINGS = 16
/** Bytes waiting in the socket over which fire-and-forget calls are dropped, as they would only be late. */
const MAX_LATE_BYTES = 64 * 1024

/** The client without the typed face that `createClient` gives it. */
export class Client implements ClientCore {
  readonly clock = new Clock()
  readonly #emitter = new Emitter<ClientEvents>()
  readonly #connection: Connection
  readonly #requests: Requests
  readonly #streams: Streams
  readonly #signIn: SignInOptions
  readonly #fireAndForget: ReadonlySet<string>
  readonly #clockIntervalMs: number
  readonly #play: ClientOptions['play']
  readonly #stopWaking: () => void
  readonly #closed = new AbortController()
  /** When each ping was sent, by its eid. */
  readonly #pings = new Map<string, number>()
  #pingTimer: ReturnType<typeof setTimeout> | undefined
  #welcome: Welcome | null = null

  /** Connects at once. @throws TypeError for an address that is none, or without a WebSocket. */
  constructor(options: ClientOptions = {}) {
    const endpoints = endpointsOf(options.url)
    const createSocket = options.createSocket ?? socketFactory(options.WebSocket)
    const backoff = { minMs: 500, maxMs: 20_000, ...options.backoff }
    const timeoutMs = options.timeoutMs ?? 12_000
    this.#play = options.play
    this.#clockIntervalMs = options.clockIntervalMs ?? 15_000
    this.#fireAndForget = new Set(options.fireAndForget ?? ['live.input'])

    const isOpen = () => this.#connection.status === 'open'
    this.#connection = new Connection({
      createSocket: () => createSocket(endpoints.socket, PROTOCOL),
      connectTimeoutMs: options.connectTimeoutMs ?? 10_000,
      backoff,
      ping: () => this.#ping(),
      onStatus: (status) => this.#onStatus(status),
      onWelcome: (welcome) => this.#onWelcome(welcome),
      onMessage: (message) => this.#onMessage(message),
      onFrame: (frame) => this.#emitter.emit('frame', frame),
      onDrop: () => this.#onDrop(),
    })
    this.#requests = new Requests({
      send: (text) => this.#connection.send(text),
      isOpen,
      onWaiting: () => this.#connection.ask(),
      timeoutMs,
      maxQueued: options.maxQueued ?? 256,
    })
    this.#streams = new Streams({
      request: (...args) => this.#requests.pinned(...args),
      isOpen,
      backoff,
      onError: (error) => this.#emitter.emit('error', error),
    })
    this.#signIn = {
      request: (type, data, options) => this.#requests.request(type, data, options),
      epoch: () => this.#connection.epoch,
      reconnect: () => this.#renew(timeoutMs),
      fetch: options.fetch ?? ((...args) => fetch(...args)),
      sessionUrl: endpoints.session,
      timeoutMs,
      closed: this.#closed.signal,
    }
    const stopWaking = onWake(() => this.#connection.wake())
    const stopNoticing = onActivity(() => this.#connection.ask())
    this.#stopWaking = () => {
      stopWaking()
      stopNoticing()
    }
    this.#connection.connect()
  }

  get status(): Status {
    return this.#connection.status
  }

  get user(): SessionUser | null {
    return this.#welcome?.user ?? null
  }

  get welcome(): Welcome | null {
    return this.#welcome
  }

  on<Name extends keyof ClientEvents>(name: Name, listener: (value: ClientEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener)
  }

  /** Calls the method `type`; what `createClient` makes of `rally.module.method(...)`. */
  request(type: string, data?: unknown, options: CallOptions = {}): Promise<unknown> {
    if (options.fireAndForget ?? this.#fireAndForget.has(type)) return this.#post(type, data, options.eid)
    return this.#requests.request(type, data, options)
  }

  /** Listens to the subscription `type`; gives a function that stops. */
  subscribe(type: string, input: unknown, listener: AnyListener): () => void {
    this.#connection.ask()
    if (this.status !== 'closed') return this.#streams.subscribe(type, input, listener)
    queueMicrotask(() => listener.end?.('closed'))
    return () => {}
  }

  /** Sends a binary frame if there is an open connection; false if not. */
  sendFrame(frame: Uint8Array<ArrayBuffer>): boolean {
    return this.#connection.bufferedBytes <= MAX_LATE_BYTES && this.#connection.send(frame)
  }

  /** Notices a dead line soon, until the function that this gives is called, once. */
  beLive(): () => void {
    return this.#connection.beLive()
  }

  play<State, Input, Options>(
    matchId: string,
    game: PlayableGame<State, Input, Options>,
    options?: PlayOptions<State>,
  ): Play<State, Input> {
    if (!this.#play) throw new TypeError("play() needs createClient({ play }), with play of 'rally/client/play'")
    return this.#play(this, matchId, game, options)
  }

  signIn(username: string): Promise<SignIn> {
    return signIn(username, this.#signIn)
  }

  recover(username: string, recoveryCode: string): Promise<SignedIn> {
    return recover(username, recoveryCode, this.#signIn)
  }

  signOut(): Promise<void> {
    return signOut(this.#signIn)
  }

  reconnect(): void {
    if (this.#closed.signal.aborted) return
    this.#requests.reopen()
    this.#connection.connect()
  }

  close(): void {
    if (this.#closed.signal.aborted) return
    this.#closed.abort()
    this.#stopWaking()
    this.#connection.close()
    this.#emitter.clear()
  }

  async #post(type: string, data: unknown, eid = this.#requests.nextEid()): Promise<object> {
    const body = encode(data)
    if (body === undefined) throw new RallyError('TOO_BIG', 'The input cannot be encoded as JSON', { type, eid })
    if (this.#connection.bufferedBytes <= MAX_LATE_BYTES) this.#connection.send(encodeRequest(type, eid, body))
    return {}
  }

  #onStatus(status: Status): void {
    if (status === 'closed') {
      this.#streams.close()
      this.#requests.close()
    }
    this.#emitter.emit('status', status)
    // What was sent while the server ended the connection has no answer.
    if (status === 'idle' && this.#requests.areWaiting) this.#connection.ask()
  }

  #onWelcome(welcome: Welcome): void {
    const last = this.#welcome
    this.#welcome = welcome
    const userChanged = last?.user?.id !== welcome.user?.id
    this.clock.restart()
    this.#keepTime(FIRST_PINGS)
    this.#requests.welcome(welcome, () => this.#streams.welcome(userChanged))
    if (userChanged || !last) this.#emitter.emit('user', welcome.user)
    this.#emitter.emit('welcome', welcome)
  }

  #onMessage(message: ServerMessage): void {
    const sentAt = this.#pings.get(message.eid)
    if (sentAt !== undefined) {
      this.#pings.delete(message.eid)
      if (!('error' in message)) this.clock.add(sentAt, message.ts)
    } else if ('seq' in message) this.#streams.receive(message)
    else if (!this.#requests.answer(message) && !this.#streams.receive(message) && message.error !== undefined) {
      this.#emitter.emit('error', answerError(message.error, message.data, message.type, message.eid))
    }
  }

  #onDrop(): void {
    clearTimeout(this.#pingTimer)
    this.#pings.clear()
    this.#streams.drop()
    this.#requests.drop()
  }

  #keepTime(first: number): void {
    this.#ping()
    this.#pingTimer = setTimeout(
      () => this.#keepTime(Math.max(0, first - 1)),
      first > 1 ? FIRST_PING_MS : this.#clockIntervalMs,
    )
  }

  #ping(): void {
    const eid = this.#requests.nextEid()
    const [oldest] = this.#pings.keys()
    if (this.#pings.size >= MAX_PINGS && oldest !== undefined) this.#pings.delete(oldest)
    this.#pings.set(eid, localNow())
    this.#connection.send(encodeRequest('rpc.ping', eid, '{}'))
  }

  /** A new socket, and its welcome. */
  #renew(timeoutMs: number): Promise<Welcome> {
    return new Promise((resolve, reject) => {
      const settle = (error?: RallyError) => {
        clearTimeout(timer)
        stopWelcome()
        stopStatus()
        if (error) reject(error)
      }
      const timer = setTimeout(() => settle(new RallyError('TIMEOUT', 'No new connection in time')), timeoutMs)
      this.reconnect()
      const stopWelcome = this.on('welcome', (welcome) => {
        settle()
        resolve(welcome)
      })
      const stopStatus = this.on('status', (status) => {
        if (status === 'closed') settle(new RallyError('CLOSED', 'The client is closed'))
      })
      if (this.status === 'closed') settle(new RallyError('CLOSED', 'The client is closed'))
    })
  }
}

function socketFactory(given: ClientOptions['WebSocket']): (url: string, protocol: string) => SocketLike {
  const Socket = given ?? (typeof WebSocket === 'undefined' ? undefined : WebSocket)
  if (!Socket) throw new TypeError('There is no global WebSocket here: pass one')
  return (url, protocol) => new Socket(url, protocol)
}
