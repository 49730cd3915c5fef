import { type CloseCode, closeCodes } from '../protocol/index.ts'
import { type Caller, Connection, type Dispatcher } from '../rpc/index.ts'
import type { WebSocket } from './uws.ts'

/** Why a socket is not served. */
export interface Refusal {
  readonly code: CloseCode
  readonly reason: string
}

/** A client that may open a socket, and its socket once it is open. */
export interface Admitted {
  readonly caller: Caller
  /** The socket is closed as soon as it is open: browsers hide why an upgrade was refused. */
  readonly refusal: Refusal | null
  /** Null before the upgrade, and once it is closed. */
  ws: WebSocket<UserData> | null
  /** Null until it is served. */
  socket: Socket | null
}

/** What uWebSockets.js keeps with each socket. It copies the properties, so there is one. */
export interface UserData {
  readonly admitted: Admitted
}

/** What the transport needs of the RPC layer. */
export type Receiver = Pick<
  Dispatcher<unknown, unknown>,
  'admit' | 'open' | 'close' | 'receive' | 'receiveBinary' | 'call' | 'entries' | 'routes' | 'connections' | 'admission'
>

/** What sockets have received and sent since the start. */
export interface Traffic {
  receivedBytes: number
  sentBytes: number
  /** Frames that a socket had no room for. It is closed then. */
  droppedFrames: number
}

/** How long a closing socket may take to read what it was sent, up to its close frame. */
const CLOSE_MS = 3_000
/** One that is too slow has had its time to read. */
const CLOSE_SLOW_MS = 1_000

interface Closing extends Refusal {
  readonly until: number
}

/** One open socket. It does not use uWebSockets.js' object after that is closed. Times are monotonic. */
export class Socket extends Connection {
  #ws: WebSocket<UserData> | null
  readonly #receiver: Receiver
  readonly #traffic: Traffic
  #closing: Closing | null = null
  /** When it last showed a sign of life: a frame, a ping, a pong, or that it read something. */
  seenAt: number
  /** When it last showed that it reads: a pong, or that some of what was unsent went out. */
  readAt: number
  pingedAt: number
  /** When the oldest unanswered ping was sent; before `seenAt` when there is none. */
  #askedAt = Number.NEGATIVE_INFINITY
  /** When the oldest ping was sent that it has not read; before `readAt` when there is none. */
  #unreadAt = Number.NEGATIVE_INFINITY
  /** Since when something has been unsent and none of it went out. */
  #stuckAt = Number.POSITIVE_INFINITY

  constructor(ws: WebSocket<UserData>, receiver: Receiver, traffic: Traffic, now: number) {
    super(receiver.admit(ws.getUserData().admitted.caller), now)
    this.#ws = ws
    this.#receiver = receiver
    this.#traffic = traffic
    this.seenAt = now
    this.readAt = now
    this.pingedAt = now
    receiver.open(this)
  }

  /** Nothing is received from it or sent to it any more. */
  get isClosing(): boolean {
    return this.#ws === null || this.#closing !== null
  }

  /** Why this server closes it; null while it does not. */
  get closeCode(): CloseCode | null {
    return this.#closing?.code ?? null
  }

  send(frame: string | Uint8Array): void {
    if (this.#ws === null || this.#closing !== null) return
    // 1 is sent, 0 is queued, 2 is dropped because too much is unsent: `dropped` of the endpoint has counted that.
    if (this.#ws.send(frame, typeof frame !== 'string') === 2) {
      this.close(closeCodes.tooSlow, 'too slow')
      return
    }
    const bytes = bytesOf(frame)
    this.#traffic.sentBytes += bytes
    this.unreadBytes += bytes
  }

  join(topic: string): void {
    if (this.#closing === null) this.#ws?.subscribe(topic)
  }

  leave(topic: string): void {
    this.#ws?.unsubscribe(topic)
  }

  unsentBytes(): number {
    return this.#ws?.getBufferedAmount() ?? 0
  }

  /** Takes the socket out of service at once. Its close frame follows what is unsent; after a while the connection is cut. */
  close(code: CloseCode, reason: string): void {
    if (this.#ws === null || this.#closing !== null) return
    const closeMs = code === closeCodes.tooSlow ? CLOSE_SLOW_MS : CLOSE_MS
    this.#closing = { code, reason, until: performance.now() + closeMs }
    this.#receiver.close(this)
    this.drained()
  }

  /** uWebSockets.js has written some of what was unsent. */
  drained(): void {
    this.#stuckAt = Number.POSITIVE_INFINITY
    if (this.#ws === null || this.#closing === null) return
    if (this.#ws.getBufferedAmount() === 0) this.#ws.end(this.#closing.code, this.#closing.reason)
  }

  ping(now: number): void {
    if (this.#askedAt <= this.seenAt) this.#askedAt = now
    if (this.#unreadAt <= this.readAt) this.#unreadAt = now
    this.pingedAt = now
    // What is unsent makes the client answer as well.
    if (this.unsentBytes() === 0) this.#ws?.ping()
  }

  /** How long the oldest ping has had no answer; 0 when there is none. */
  unansweredMs(now: number): number {
    return this.#askedAt > this.seenAt ? now - this.#askedAt : 0
  }

  /** How long the oldest ping has not been read; 0 when there is none. */
  unreadMs(now: number): number {
    return this.#unreadAt > this.readAt ? now - this.#unreadAt : 0
  }

  /** How long none of what is unsent has gone out; 0 when nothing is unsent. Looked at several times a second. */
  stuckMs(now: number): number {
    this.#stuckAt = this.unsentBytes() > 0 ? Math.min(this.#stuckAt, now) : Number.POSITIVE_INFINITY
    return Math.max(0, now - this.#stuckAt)
  }

  /** Leaves out a time in which this process stood still and read nothing. */
  excuse(stalledMs: number): void {
    this.seenAt += stalledMs
    this.readAt += stalledMs
    this.#stuckAt += stalledMs
  }

  /** Sends the close frame once there is room, and cuts the connection when its time is over. */
  finishClosing(now: number): void {
    this.drained()
    if (this.#closing !== null && now >= this.#closing.until) this.#ws?.close()
  }

  /** uWebSockets.js has closed the socket, and its object is gone. */
  gone(): void {
    this.#ws = null
    if (this.#closing === null) this.#receiver.close(this)
  }
}

export function bytesOf(frame: string | Uint8Array): number {
  return typeof frame === 'string' ? Buffer.byteLength(frame) : frame.length
}
