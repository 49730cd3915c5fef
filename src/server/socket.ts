import { type CloseCode, closeCodes } from '../protocol/index.ts'
import type { Caller, Connection, Dispatcher, Peer } from '../rpc/index.ts'
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
  'open' | 'close' | 'receive' | 'receiveBinary' | 'badFrame' | 'connections' | 'admission'
>

/** How a socket is tended. Times are ms. */
export interface TendOptions {
  /** After so long it is pinged, after twice as long of silence closed. */
  readonly heartbeatMs: number
  readonly anonymousIdleMs: number
  /** Whether a user plays a live match: then a silent socket of theirs is pinged and closed sooner. */
  readonly isPlaying: (userId: string) => boolean
}

/** Of a socket whose user plays a live match: the silence after which it is pinged, and the time it has to answer. */
const PLAYING_PING_MS = 1_000
const PLAYING_ANSWER_MS = 2_500
/** How long a socket that is to be closed may take to read what it was sent before, its close frame last. */
const CLOSE_MS = 3_000

interface CloseReason {
  readonly code: CloseCode
  readonly reason: string
  readonly until: number
}

/** One open socket. Nothing here touches uWebSockets.js' object once that is closed. Times are of the monotonic clock. */
export class Socket implements Peer {
  readonly connection: Connection
  #ws: WebSocket<UserData> | null
  readonly #receiver: Receiver
  #closing: CloseReason | null = null
  /** When it last showed a sign of life: a frame, a ping, a pong, or having read. */
  seenAt: number
  #pingedAt: number
  /** When the first ping left that it has not answered; before `seenAt` when there is none. */
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(ws: WebSocket<UserData>, receiver: Receiver, now: number) {
    this.#ws = ws
    this.#receiver = receiver
    this.seenAt = now
    this.#pingedAt = now
    this.connection = receiver.open(ws.getUserData().admitted.caller, this)
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
    this.#receiver.close(this.connection)
    this.drained()
  }

  /** uWebSockets.js could write some of what was unsent. */
  drained(): void {
    if (this.#ws === null || this.#closing === null) return
    if (this.#ws.getBufferedAmount() === 0) this.#ws.end(this.#closing.code, this.#closing.reason)
  }

  ping(now: number): void {
    if (this.#askedAt <= this.seenAt) this.#askedAt = now
    this.#pingedAt = now
    // What waits to be sent asks as well.
    if (this.unsentBytes() === 0) this.#ws?.ping()
  }

  /** Looks after the socket a few times in a heartbeat: pings, and closes what is silent or idle. */
  tend(now: number, { heartbeatMs, anonymousIdleMs, isPlaying }: TendOptions): void {
    if (this.#closing !== null) {
      this.drained()
      if (now >= this.#closing.until) this.#ws?.close()
      return
    }
    const { caller, lastRequestAt, following } = this.connection
    // Who follows a match or the lobby is watching, though that asks for nothing.
    const isIdle = caller.user === null && following.size === 0 && now - lastRequestAt > anonymousIdleMs
    const silentMs = now - this.seenAt
    const isUrgent = silentMs >= PLAYING_PING_MS && caller.user !== null && isPlaying(caller.user.id)
    const pingMs = isUrgent ? Math.min(PLAYING_PING_MS, heartbeatMs) : heartbeatMs
    // A match may go live while the socket has long been silent, as it may be: it is asked first.
    const isUnanswered = isUrgent && this.#askedAt > this.seenAt && now - this.#askedAt > PLAYING_ANSWER_MS
    if (isUnanswered || silentMs > 2 * heartbeatMs) this.close(closeCodes.noSignOfLife, 'no sign of life')
    else if (isIdle) this.close(closeCodes.idle, 'idle for too long')
    else if (now - this.#pingedAt >= pingMs) this.ping(now)
  }

  /** uWebSockets.js has closed the socket; what it stands for is gone. */
  gone(): void {
    this.#ws = null
    if (this.#closing === null) this.#receiver.close(this.connection)
  }
}
