import type { CloseCode } from '../protocol/index.ts'
import type { Allowance } from './admission.ts'
import type { Caller } from './caller.ts'

/** What a transport does for one socket. None of these throws on a socket that is already closed. */
export interface Peer {
  /** Queues a frame for this socket alone. One that cannot be queued closes the socket with 4008. */
  send(frame: string | Uint8Array): void
  /** From now on frames that the transport publishes to `topic` reach this socket. */
  join(topic: string): void
  leave(topic: string): void
  unsentBytes(): number
  close(code: CloseCode, reason: string): void
}

/** One channel that a socket follows. */
export interface Following {
  readonly channel: string
  /** Set while a `latest` stream skips this socket: the last `seq` it was sent. */
  skippedFrom: number | null
}

/** One socket as the RPC layer sees it: who it is, what it follows, and how much it may still ask. */
export class Connection {
  readonly id: string
  readonly caller: Caller
  readonly peer: Peer
  readonly allowance: Allowance
  readonly following = new Map<string, Following>()
  inFlight = 0
  closed = false
  /** On the monotonic clock. */
  lastRequestAt: number

  constructor(id: string, caller: Caller, peer: Peer, allowance: Allowance, now: number) {
    this.id = id
    this.caller = caller
    this.peer = peer
    this.allowance = allowance
    this.lastRequestAt = now
  }
}
