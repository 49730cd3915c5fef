import { closeCodes, shouldReconnect } from '../protocol/codes.ts'
import type { ServerMessage, Welcome } from '../protocol/envelope.ts'
import { parseMessage } from './envelopes.ts'
import type { SocketLike } from './handshake.ts'
import { Heartbeat } from './heartbeat.ts'
import { type Backoff, reconnectMs } from './reconnect-delay.ts'
import type { Status } from './types.ts'

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000
/** A connection that held this long was a good one: the next failure starts from the shortest wait. */
const STABLE_MS = 5_000
/** The close code of a connection that ended without one (RFC 6455 section 7.4.1). */
const CUT = 1006

export interface ConnectionOptions {
  readonly createSocket: () => SocketLike
  readonly connectTimeoutMs?: number | undefined
  readonly backoff: Backoff
  /** Without its session or token the client has nothing to do here. */
  readonly endsWithSession: boolean
  /** Sends an `rpc.ping`. */
  readonly ping: () => void
  readonly onStatus: (status: Status) => void
  readonly onWelcome: (welcome: Welcome) => void
  readonly onMessage: (message: ServerMessage) => void
  readonly onFrame: (frame: ArrayBuffer) => void
  /** The socket is gone: nothing sent on it will be answered any more. */
  readonly onDrop: () => void
  /** A socket ended without a welcome, and there has been none before; with `endsWithSession` any that does. */
  readonly onNeverOpened: () => void
  /** With `endsWithSession`: the server closes the connection because the session or token has ended. */
  readonly onSessionEnded: () => void
  /** The server closes the connection because the user is banned, for this reason. */
  readonly onBanned: (reason: string) => void
}

/** One socket after another: connects, waits for the welcome, watches for signs of life, reconnects. */
export class Connection {
  readonly #options: ConnectionOptions
  #status: Status = 'connecting'
  /** The status that the application knows. */
  #told: Status = 'connecting'
  #socket: SocketLike | null = null
  #heartbeat: Heartbeat | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #openedAt = 0
  /** The last time of a good connection; before the first one, the time of the first attempt. */
  #goodAt = performance.now()
  /** The server closed a socket that was too fast: `wake` does not shorten that wait. */
  #pausing = false
  /** How many sockets there have been: it distinguishes them. */
  socketNumber = 0
  /** How many matches are live here. */
  #live = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get status(): Status {
    return this.#status
  }

  get isOpen(): boolean {
    return this.#status === 'open'
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0
  }

  /** Sends if there is an open connection; false if not. */
  send(frame: string | Uint8Array<ArrayBuffer>): boolean {
    if (this.#status !== 'open' || !this.#socket) return false
    this.#socket.send(frame)
    return true
  }

  beLive(): () => void {
    const count = (change: number) => {
      this.#live += change
      this.#heartbeat?.review()
    }
    count(1)
    return () => count(-1)
  }

  /** Drops the socket, if there is one, and connects at once. */
  connect(): void {
    this.#discard(1000)
    this.#status = this.socketNumber === 0 ? 'connecting' : 'reconnecting'
    this.#open()
    this.#tell()
  }

  /** The page is shown or the network is back: connects at once, or asks an open socket for a sign of life. */
  wake(): void {
    if (this.#status === 'open') this.#heartbeat?.probe()
    else if (this.#status === 'idle') this.endIdle()
    else if (this.#status !== 'closed' && !this.#socket && !this.#pausing) this.#open()
  }

  /** The application or its user wants something: connects again if the client is idle. */
  endIdle(): void {
    if (this.#status !== 'idle') return
    this.#status = 'reconnecting'
    this.#open()
    this.#tell()
  }

  close(): void {
    this.#discard(1000)
    this.#set('closed')
  }

  #open(): void {
    clearTimeout(this.#timer)
    this.socketNumber++
    this.#pausing = false
    let socket: SocketLike
    try {
      socket = this.#options.createSocket()
    } catch {
      this.#lost(CUT)
      return
    }
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    // A socket that was given up may still send: every listener checks whether it is the current one.
    socket.addEventListener('message', ({ data }) => {
      if (socket === this.#socket) this.#receive(data)
    })
    socket.addEventListener('close', ({ code, reason = '' }) => {
      if (socket !== this.#socket) return
      if (code === closeCodes.banned) this.#options.onBanned(reason)
      if (code === closeCodes.sessionEnded && this.#options.endsWithSession) this.#options.onSessionEnded()
      this.#lost(code)
    })
    socket.addEventListener('error', () => {})
    this.#timer = setTimeout(() => this.#lost(CUT), this.#options.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS)
  }

  #receive(data: unknown): void {
    if (typeof data !== 'string') {
      this.#heartbeat?.heard()
      if (data instanceof ArrayBuffer && this.#status === 'open') this.#options.onFrame(data)
      return
    }
    const message = parseMessage(data)
    if (!message) {
      this.#lost(CUT)
      return
    }
    this.#heartbeat?.heard()
    if (this.#status === 'open') this.#options.onMessage(message)
    else if (message.type === 'rpc.welcome') this.#welcomed(message.data as Welcome)
  }

  #welcomed(welcome: Welcome): void {
    clearTimeout(this.#timer)
    this.#openedAt = performance.now()
    this.#heartbeat = new Heartbeat({
      heartbeatMs: welcome.heartbeatMs,
      isLive: () => this.#live > 0,
      ping: this.#options.ping,
      dead: () => this.#lost(closeCodes.noSignOfLife),
    })
    this.#status = 'open'
    this.#options.onWelcome(welcome)
    this.#tell()
  }

  /** The socket ended, or is given up: reconnects after a wait, unless the close code says otherwise. */
  #lost(code: number): void {
    const now = performance.now()
    if (this.#status === 'open' && now - this.#openedAt >= STABLE_MS) {
      this.#failures = 0
      this.#goodAt = now
    }
    this.#discard()
    if (code === closeCodes.idle) {
      this.#set('idle')
      return
    }
    // After its session has ended, the client comes back signed out.
    const comesBack = code === closeCodes.sessionEnded && !this.#options.endsWithSession
    if (!shouldReconnect(code) && !comesBack) {
      this.#set('closed')
      return
    }
    const lost = { code, failures: this.#failures++, outageMs: now - this.#goodAt }
    const waitMs = reconnectMs(lost, this.#options.backoff)
    this.#pausing = code === closeCodes.tooFast
    this.#timer = setTimeout(() => this.#open(), waitMs)
    const isTold = this.#status === 'connecting' || (this.#status === 'reconnecting' && this.#options.endsWithSession)
    if (isTold) this.#options.onNeverOpened()
    else this.#set('reconnecting')
  }

  #discard(code?: number): void {
    clearTimeout(this.#timer)
    this.#heartbeat?.stop()
    this.#heartbeat = null
    const socket = this.#socket
    this.#socket = null
    socket?.close(code)
    if (this.#status === 'open') this.#options.onDrop()
  }

  #set(status: Status): void {
    this.#status = status
    this.#tell()
  }

  /** Tells the application of a change. Always the last step: the listener may make the next change at once. */
  #tell(): void {
    if (this.#told === this.#status) return
    this.#told = this.#status
    this.#options.onStatus(this.#status)
  }
}

const ACTIVITY = ['pointermove', 'pointerdown', 'keydown'] as const

/** Does not wait when the network is back, the page is shown again, or its user does something. Not in Node. */
export function watchPage(connection: Connection, until: AbortSignal): void {
  if (typeof document === 'undefined') return
  const seen = () => {
    if (document.visibilityState === 'visible') connection.wake()
  }
  addEventListener('online', () => connection.wake(), { signal: until })
  document.addEventListener('visibilitychange', seen, { signal: until })
  for (const name of ACTIVITY) addEventListener(name, () => connection.endIdle(), { passive: true, signal: until })
}
