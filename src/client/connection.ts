import { closeCodes, shouldReconnect } from '../protocol/codes.ts'
import type { Answer, ServerMessage, Welcome } from '../protocol/envelope.ts'
import { Heartbeat } from './heartbeat.ts'
import { type Backoff, reconnectMs } from './reconnect-delay.ts'

/**
 * `connecting` until the first welcome, `open` while requests go out, `reconnecting` while the client works on a new
 * connection, `idle` after a server ended one on which nobody asked anything: the next call, or the user's next move in a page,
 * makes another; `closed` for good: by `close()`, or by a server that says stay away.
 */
export type Status = 'connecting' | 'open' | 'reconnecting' | 'idle' | 'closed'

/** What the client needs of a WebSocket; the browser's own and the one of npm `ws` fit. */
export interface SocketLike {
  binaryType: string
  readonly bufferedAmount: number
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { readonly code: number }) => void): void
  addEventListener(type: 'error', listener: () => void): void
}

export type SocketConstructor = new (url: string, protocols?: string | string[]) => SocketLike

/** Where one server's endpoints are. */
export interface Endpoints {
  /** `ws:` or `wss:`, ends in `/ws`. */
  readonly socket: string
  /** `http:` or `https:`, ends in `/session`. */
  readonly session: string
}

/**
 * Finds the endpoints from an address of the server: `http(s):`, `ws(s):`, or relative to the page. A path is kept,
 * for a server behind a prefix; a trailing `/` or `/ws` makes no difference.
 *
 * @throws TypeError for an address that is none, or a relative one where there is no page.
 */
export function endpointsOf(url: string | URL | undefined): Endpoints {
  const page = typeof location === 'undefined' ? undefined : location.href
  const base = new URL(url ?? '/', page)
  const secure = base.protocol === 'https:' || base.protocol === 'wss:'
  if (!secure && base.protocol !== 'http:' && base.protocol !== 'ws:') throw new TypeError(`Not a server: ${base.href}`)
  const place = `${secure ? 's' : ''}://${base.host}${base.pathname.replace(/\/(ws)?$/, '')}`
  return { socket: `ws${place}/ws`, session: `http${place}/session` }
}

/**
 * Calls `wake` when the network is back or the page is seen again: moments at which waiting makes no sense. Where there
 * is no page (Node) it never does. Gives a function that stops.
 */
export function onWake(wake: () => void): () => void {
  if (typeof document === 'undefined') return () => {}
  const seen = () => {
    if (document.visibilityState === 'visible') wake()
  }
  addEventListener('online', wake)
  document.addEventListener('visibilitychange', seen)
  return () => {
    removeEventListener('online', wake)
    document.removeEventListener('visibilitychange', seen)
  }
}

const ACTIVITY = ['pointermove', 'pointerdown', 'keydown'] as const

/** Calls `notice` at each move of the user in the page, which may be many a second. Gives a function that stops. */
export function onActivity(notice: () => void): () => void {
  if (typeof document === 'undefined') return () => {}
  for (const move of ACTIVITY) addEventListener(move, notice, { passive: true })
  return () => {
    for (const move of ACTIVITY) removeEventListener(move, notice)
  }
}

export interface ConnectionOptions {
  readonly createSocket: () => SocketLike
  readonly connectTimeoutMs: number
  readonly backoff: Backoff
  /** Sends an `rpc.ping`. */
  readonly ping: () => void
  readonly onStatus: (status: Status) => void
  readonly onWelcome: (welcome: Welcome) => void
  readonly onMessage: (message: ServerMessage) => void
  readonly onFrame: (frame: ArrayBuffer) => void
  /** The socket is gone: nothing sent on it will be answered any more. */
  readonly onDrop: () => void
}

/** A connection that held this long was a good one: the next failure starts from the shortest wait. */
const STABLE_MS = 5_000
/** The close code of a connection that ended without one (RFC 6455 section 7.4.1). */
const CUT = 1006

/** One socket after another: connects, waits for the welcome, watches for signs of life, comes back. */
export class Connection {
  readonly #options: ConnectionOptions
  #status: Status = 'connecting'
  /** What the application was last told. */
  #told: Status = 'connecting'
  #socket: SocketLike | null = null
  #heartbeat: Heartbeat | null = null
  #timer: ReturnType<typeof setTimeout> | undefined
  #failures = 0
  #openedAt = 0
  /** When there was a good connection last; when the first was tried until there has been one. */
  #goodAt = performance.now()
  #pausing = false
  #sockets = 0
  /** Live matches here. */
  #live = 0

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get status(): Status {
    return this.#status
  }

  /** Tells one socket from another: grows with each. */
  get epoch(): number {
    return this.#sockets
  }

  /** Bytes that wait in the socket. */
  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0
  }

  /** Sends if there is an open connection; false if not. */
  send(frame: string | Uint8Array<ArrayBuffer>): boolean {
    if (this.#status !== 'open' || !this.#socket) return false
    this.#socket.send(frame)
    return true
  }

  /** A match is live here: a dead line is noticed within 4 s until the function that this gives is called, once. */
  beLive(): () => void {
    const count = (change: number) => {
      this.#live += change
      this.#heartbeat?.review()
    }
    count(1)
    return () => count(-1)
  }

  /** Drops what there is and connects at once, whatever was waited for. */
  connect(): void {
    this.#discard(1000)
    this.#status = this.#sockets === 0 ? 'connecting' : 'reconnecting'
    this.#open()
    this.#tell()
  }

  /** The page is seen or the network is back: no reason to wait any longer, or to trust the old socket blindly. */
  wake(): void {
    if (this.#status === 'open') this.#heartbeat?.probe()
    else if (this.#status === 'idle') this.ask()
    else if (this.#status !== 'closed' && !this.#socket && !this.#pausing) this.#open()
  }

  /** The application or its user wants something: ends the rest of an idle client. */
  ask(): void {
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
    this.#sockets++
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
    // A socket that was given up may still speak: every listener asks whether it is the current one.
    socket.addEventListener('message', ({ data }) => {
      if (socket === this.#socket) this.#receive(data)
    })
    socket.addEventListener('close', ({ code }) => {
      if (socket === this.#socket) this.#lost(code)
    })
    socket.addEventListener('error', () => {})
    this.#timer = setTimeout(() => this.#lost(CUT), this.#options.connectTimeoutMs)
  }

  #receive(data: unknown): void {
    if (typeof data !== 'string') {
      this.#heartbeat?.heard()
      if (data instanceof ArrayBuffer && this.#status === 'open') this.#options.onFrame(data)
      return
    }
    const message = parse(data)
    if (!message) {
      this.#lost(CUT)
      return
    }
    this.#heartbeat?.heard()
    if (this.#status === 'open') this.#options.onMessage(message)
    else if (isWelcome(message)) this.#welcomed(message.data)
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

  /** The socket ended, or is given up. */
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
    // Signed out by the server is a reason to come back as nobody, not to stay away.
    if (!shouldReconnect(code) && code !== closeCodes.sessionEnded) {
      this.#set('closed')
      return
    }
    const failed = { code, failures: this.#failures++, outageMs: now - this.#goodAt }
    const waitMs = reconnectMs(failed, this.#options.backoff)
    this.#pausing = code === closeCodes.tooFast
    this.#timer = setTimeout(() => this.#open(), waitMs)
    this.#set(this.#status === 'connecting' ? 'connecting' : 'reconnecting')
  }

  #discard(code?: number): void {
    clearTimeout(this.#timer)
    this.#heartbeat?.stop()
    this.#heartbeat = null
    const socket = this.#socket
    this.#socket = null
    if (socket) closeQuietly(socket, code)
    if (this.#status === 'open') this.#options.onDrop()
  }

  #set(status: Status): void {
    this.#status = status
    this.#tell()
  }

  /** Tells of a change. Always the last step of one, as the application may at once make the next. */
  #tell(): void {
    if (this.#told === this.#status) return
    this.#told = this.#status
    this.#options.onStatus(this.#status)
  }
}

/** A browser refuses some codes, and any close of a socket that is closing already is harmless. */
function closeQuietly(socket: SocketLike, code: number | undefined): void {
  try {
    socket.close(code)
  } catch {
    socket.close()
  }
}

/** What the server sent, trusted to be of the protocol once it is an object with a `type` and an `eid`. */
function parse(text: string): ServerMessage | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const message = value as Partial<ServerMessage>
    return typeof message.type === 'string' && typeof message.eid === 'string' ? (value as ServerMessage) : undefined
  } catch {
    return undefined
  }
}

function isWelcome(message: ServerMessage): message is Answer & { readonly data: Welcome } {
  return message.type === 'rpc.welcome'
}
