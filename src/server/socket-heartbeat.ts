import { closeCodes, type Limits } from '../protocol/index.ts'
import { IncrementalSweep } from '../rpc/index.ts'
import type { Socket } from './socket.ts'

/** Each socket is looked at so often, a share of the sockets at a time. */
const ROUND_MS = 250
const STEP_MS = 20
/** A socket whose user plays a live match is pinged after so long a silence, and then has so long to answer. */
const PLAYING_PING_MS = 1_000
const PLAYING_ANSWER_MS = 2_500
/** A socket is closed when nothing of what is unsent has gone out for so long. */
const STUCK_MS = 4_000
/**
 * A socket that was sent so much since it last showed that it reads, so long ago, is pinged and has `STUCK_MS` to answer. A
 * follower of a quiet stream is pinged only at its heartbeat.
 */
const UNREAD_BYTES = 256
const UNREAD_MS = 3_000
/** A pause of this process that is not counted as its sockets' silence. */
const STALL_MS = 250

export interface HeartbeatOptions {
  /** A socket is pinged after so long a silence, and closed after twice as long: `HEARTBEAT_SECONDS` in `src/config.ts`. */
  readonly heartbeatMs: number
  /** A signed-out socket that asks for nothing and follows nothing is closed after `anonymousIdleMs`. */
  readonly limits: Pick<Limits, 'anonymousIdleMs'>
  readonly isPlaying: (userId: string) => boolean
}

/** Pings sockets, and closes those that are dead, read nothing, or are idle. */
export class SocketHeartbeat {
  readonly #sockets: ReadonlySet<Socket>
  readonly #options: HeartbeatOptions
  readonly #onError: (error: unknown) => void
  readonly #rounds: IncrementalSweep<Socket>
  readonly #timer: NodeJS.Timeout
  #steppedAt = performance.now()

  constructor(sockets: ReadonlySet<Socket>, options: HeartbeatOptions, onError: (error: unknown) => void) {
    this.#sockets = sockets
    this.#options = options
    this.#onError = onError
    const roundMs = Math.min(ROUND_MS, Math.max(STEP_MS, options.heartbeatMs / 5))
    const steps = Math.ceil(roundMs / STEP_MS)
    this.#rounds = new IncrementalSweep(sockets, steps)
    this.#timer = setInterval(() => this.#step(), roundMs / steps)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #step(): void {
    const now = performance.now()
    const stalledMs = now - this.#steppedAt - STEP_MS
    this.#steppedAt = now
    if (stalledMs > STALL_MS) for (const socket of this.#sockets) socket.excuse(stalledMs)
    try {
      this.#rounds.next((socket) => this.#check(socket, now))
    } catch (error) {
      this.#onError(error)
    }
  }

  #check(socket: Socket, now: number): void {
    const { heartbeatMs, limits, isPlaying } = this.#options
    if (socket.isClosing) {
      socket.finishClosing(now)
      return
    }
    const { caller, lastRequestAt, following } = socket
    const silentMs = now - socket.seenAt
    const isPlayer = silentMs >= PLAYING_PING_MS && caller.user !== null && isPlaying(caller.user.id)
    // The socket may have been silent for long when its match goes live. So its silence counts from the ping.
    const isUnanswered = isPlayer && socket.unansweredMs(now) > PLAYING_ANSWER_MS
    const isIdle = caller.user === null && following.size === 0 && now - lastRequestAt > limits.anonymousIdleMs
    const pingMs = isPlayer ? Math.min(PLAYING_PING_MS, heartbeatMs) : heartbeatMs
    // It may send frames and read none. Small ones fit into the buffers of the system, so that nothing seems unsent.
    const isAsked = socket.unreadBytes > UNREAD_BYTES && now - socket.readAt > UNREAD_MS
    const unreadMs = socket.unreadMs(now)
    const isDeaf = socket.stuckMs(now) > STUCK_MS || unreadMs > (isAsked ? STUCK_MS : Math.max(STUCK_MS, heartbeatMs))
    if (isUnanswered || silentMs > 2 * heartbeatMs) socket.close(closeCodes.noSignOfLife, 'no sign of life')
    else if (isDeaf) socket.close(closeCodes.tooSlow, 'too slow')
    else if (isIdle) socket.close(closeCodes.idle, 'idle for too long')
    else if (now - socket.pingedAt >= pingMs || (isAsked && unreadMs === 0)) socket.ping(now)
  }
}
