import { type CloseCode, closeCodes } from '../protocol/index.ts'
import { type Caller, Connection, type Dispatcher } from '../rpc/index.ts'
import type { WebSocket } from './uws.ts'

/** A client that may open its socket, and that socket once it is open. */
export interface Admitted {
  readonly caller: Caller
  /** It speaks other sub-protocols than ours. */
  readonly isForeign: boolean
  /** Null before the upgrade, and once it is closed. */
  ws: WebSocket<UserData> | null
  /** Null before it is served. */
  socket: Socket | null
}

/** What uWebSockets.js keeps with each socket. One property, as it copies them. */
export interface UserData {
  readonly admitted: Admitted
}

/** What the transport needs of the RPC layer. */
export type Receiver = Pick<
  Dispatcher<unknown, unknown>,
  'admit' | 'open' | 'close' | 'receive' | 'receiveBinary' | 'connections' | 'admission'
>

/** How long a socket that is to be closed may take to read what it was sent before, its close frame last. */
const CLOSE_MS = 3_000

interface CloseReason {
  readonly code: CloseCode
  readonly reason: string
  readonly until: number
}

/** One open socket. Nothing here touches uWebSockets.js' object once that is closed. Times are of the monotonic clock. */
export class Socket extends Connection {
  #ws: WebSocket<UserData> | null
  readonly #receiver: Receiver
  #closing: CloseReason | null = null
  /** When it last showed a sign of life: a frame, a ping, a pong, or having read. */
  seenAt: number
  pingedAt: number
  /** When the first ping left that it has not answered; before `seenAt` when there is none. */
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(ws: WebSocket<UserData>, receiver: Receiver, now: number) {
    super(receiver.admit(ws.getUserData().admitted.caller), now)
    this.#ws = ws
    this.#receiver = receiver
    this.seenAt = now
    this.pingedAt = now
    receiver.open(this)
  }

  /** Nothing is taken from it or sent to it any more. */
  get isClosing(): boolean {
    return this.#ws === null || this.#closing !== null
  }

  send(frame: string | Uint8Array): void {
    if (this.#ws === null || this.#closing !== null) return
    // 1 is sent, 0 queued; 2 is dropped, and says that more waits than may.
    if (this.#ws.send(frame, typeof frame !== 'string') === 2) this.close(closeCodes.tooSlow, 'too slow')
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

  /**
   * Takes the socket out of service at once. Its close frame goes behind what is still unsent, and where that does not
   * get through in time the connection is cut.
   */
  close(code: CloseCode, reason: string): void {
    if (this.#ws === null || this.#closing !== null) return
    this.#closing = { code, reason, until: performance.now() + CLOSE_MS }
    this.#receiver.close(this)
    this.drained()
  }

  /** uWebSockets.js could write some of what was unsent. */
  drained(): void {
    if (this.#ws === null || this.#closing === null) return
    if (this.#ws.getBufferedAmount() === 0) this.#ws.end(this.#closing.code, this.#closing.reason)
  }

  ping(now: number): void {
    if (this.#askedAt <= this.seenAt) this.#askedAt = now
    this.pingedAt = now
    // What waits to be sent asks as well.
    if (this.unsentBytes() === 0) this.#ws?.ping()
  }

  /** How long the oldest ping has had no answer; 0 when there is none. */
  unansweredMs(now: number): number {
    return this.#askedAt > this.seenAt ? now - this.#askedAt : 0
  }

  /** Sends the close frame once there is room, and cuts the connection when its time is over. */
  finishClosing(now: number): void {
    this.drained()
    if (this.#closing !== null && now >= this.#closing.until) this.#ws?.close()
  }

  /** uWebSockets.js has closed the socket; what it stands for is gone. */
  gone(): void {
    this.#ws = null
    if (this.#closing === null) this.#receiver.close(this)
  }
}
