import { type CloseCode, closeCodes } from '../protocol/index.ts'
import type { Connection, Dispatcher, Peer } from '../rpc/index.ts'
import type { UserData } from './upgrade.ts'
import type { WebSocket } from './uws.ts'

/** What the transport needs of the RPC layer. */
export type Receiver = Pick<Dispatcher<unknown, unknown>, 'open' | 'close' | 'receive' | 'badFrame' | 'connections'>

/** How long a socket that is to be closed may take to read what it was sent before, its close frame last. */
const FAREWELL_MS = 3_000

interface Farewell {
  readonly code: CloseCode
  readonly reason: string
  readonly until: number
}

/** One open socket. Nothing here touches uWebSockets.js' object once that is closed. */
export class Socket implements Peer {
  readonly connection: Connection
  #ws: WebSocket<UserData> | null
  readonly #receiver: Receiver
  #farewell: Farewell | null = null
  /** When it last showed a sign of life: a frame, a ping, a pong, or having read. */
  seenAt: number
  #pingedAt: number

  constructor(ws: WebSocket<UserData>, receiver: Receiver, now: number) {
    this.#ws = ws
    this.#receiver = receiver
    this.seenAt = now
    this.#pingedAt = now
    this.connection = receiver.open(ws.getUserData().admission.caller, this)
  }

  /** Nothing is taken from it or sent to it any more. */
  get isClosing(): boolean {
    return this.#ws === null || this.#farewell !== null
  }

  send(frame: string | Uint8Array): void {
    if (this.#ws === null || this.#farewell !== null) return
    // 1 is sent, 0 queued; 2 is dropped, and says that more waits than may.
    if (this.#ws.send(frame, typeof frame !== 'string') === 2) this.close(closeCodes.tooSlow, 'too slow')
  }

  /** Runs `work` at once while this socket holds the cork; false when it is gone, or about to be. */
  corked(work: () => void): boolean {
    if (this.#ws === null || this.#farewell !== null) return false
    this.#ws.cork(work)
    return true
  }

  join(topic: string): void {
    if (this.#farewell === null) this.#ws?.subscribe(topic)
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
    if (this.#ws === null || this.#farewell !== null) return
    this.#farewell = { code, reason, until: Date.now() + FAREWELL_MS }
    this.#receiver.close(this.connection)
    this.drained()
  }

  /** uWebSockets.js could write some of what was unsent. */
  drained(): void {
    if (this.#ws === null || this.#farewell === null) return
    if (this.#ws.getBufferedAmount() === 0) this.#ws.end(this.#farewell.code, this.#farewell.reason)
  }

  ping(now: number): void {
    this.#pingedAt = now
    this.#ws?.ping()
  }

  /** Looks after the socket a few times in a heartbeat: pings, and closes what is silent or idle. */
  tend(now: number, heartbeatMs: number, anonymousIdleMs: number): void {
    if (this.#farewell !== null) {
      this.drained()
      if (now >= this.#farewell.until) this.#ws?.close()
      return
    }
    const { caller, lastRequestAt } = this.connection
    if (now - this.seenAt > 2 * heartbeatMs) this.close(closeCodes.noSignOfLife, 'no sign of life')
    else if (caller.user === null && now - lastRequestAt > anonymousIdleMs) {
      this.close(closeCodes.noSignOfLife, 'idle for too long')
    } else if (now - this.#pingedAt >= heartbeatMs && this.unsentBytes() === 0) this.ping(now)
  }

  /** uWebSockets.js has closed the socket; what it stands for is gone. */
  gone(): void {
    this.#ws = null
    if (this.#farewell === null) this.#receiver.close(this.connection)
  }
}
