export interface HeartbeatOptions {
  readonly heartbeatMs: number
  /** Whether a match is live here. Call `review` when that changes. */
  readonly isLive: () => boolean
  readonly ping: () => void
  /** The server was silent for 1.5 heartbeats, or for 3.5 s while a match is live. */
  readonly dead: () => void
}

/** While a match is live. As keyframes come once a second, the client normally need not ask. */
const LIVE_QUIET_MS = 1_250
const LIVE_ANSWER_MS = 2_250

/** Notices a dead peer: asks after a heartbeat of silence, and gives up half a heartbeat after the question. */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  #timer: ReturnType<typeof setTimeout> | undefined
  #heardAt = performance.now()
  #asked = false

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.review()
  }

  heard(): void {
    this.#heardAt = performance.now()
    if (!this.#asked) return
    this.#asked = false
    this.review()
  }

  /** Asks now, because the network may have changed. */
  probe(): void {
    if (!this.#asked) this.#ask()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** How long the server may be silent before it is asked, and once it is asked until it answers. */
  get #allowedMs(): number {
    const { heartbeatMs, isLive } = this.#options
    const [mostMs, liveMs] = this.#asked ? [heartbeatMs / 2, LIVE_ANSWER_MS] : [heartbeatMs, LIVE_QUIET_MS]
    return isLive() ? Math.min(liveMs, mostMs) : mostMs
  }

  /** Waits anew: call this when `isLive` has changed. */
  review(ms = this.#allowedMs): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#check(), ms)
  }

  #check(): void {
    const leftMs = this.#allowedMs - (performance.now() - this.#heardAt)
    if (this.#asked) this.#options.dead()
    else if (leftMs > 0) this.review(leftMs)
    else this.#ask()
  }

  #ask(): void {
    this.#asked = true
    this.review()
    this.#options.ping()
  }
}
