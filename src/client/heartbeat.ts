export interface HeartbeatOptions {
  readonly heartbeatMs: number
  /** Whether a match is live here, and its player would play on without being heard. May change: say so to `review`. */
  readonly isLive: () => boolean
  /** Asks the server for a sign of life. */
  readonly ping: () => void
  /** No sign of life for 1.5 heartbeats, or while a match is live for 3.5 s. */
  readonly dead: () => void
}

/** While a match is live. Its keyframes come once a second, so that normally there is nothing to ask. */
const LIVE_QUIET_MS = 1_250
const LIVE_ANSWER_MS = 2_250

/**
 * Notices a dead peer: after one heartbeat of silence it asks, and half a heartbeat later gives up. As the second wait
 * starts with the question, a page whose timers were held up asks before it gives up.
 */
export class Heartbeat {
  readonly #options: HeartbeatOptions
  #timer: ReturnType<typeof setTimeout> | undefined
  #heardAt = performance.now()
  #asked = false

  constructor(options: HeartbeatOptions) {
    this.#options = options
    this.#wait(this.#quietMs)
  }

  /** Something came from the server. Cheap, as it is called for every frame. */
  heard(): void {
    this.#heardAt = performance.now()
    if (!this.#asked) return
    this.#asked = false
    this.#wait(this.#quietMs)
  }

  /** Asks now, because the network may have changed. */
  probe(): void {
    if (!this.#asked) this.#ask()
  }

  /** A match has become live here, or is no longer. */
  review(): void {
    this.#wait(this.#asked ? this.#answerMs : this.#quietMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  get #quietMs(): number {
    const { heartbeatMs, isLive } = this.#options
    return isLive() ? Math.min(LIVE_QUIET_MS, heartbeatMs) : heartbeatMs
  }

  get #answerMs(): number {
    const { heartbeatMs, isLive } = this.#options
    return isLive() ? Math.min(LIVE_ANSWER_MS, heartbeatMs / 2) : heartbeatMs / 2
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#check(), ms)
  }

  #check(): void {
    const leftMs = this.#quietMs - (performance.now() - this.#heardAt)
    if (this.#asked) this.#options.dead()
    else if (leftMs > 0) this.#wait(leftMs)
    else this.#ask()
  }

  #ask(): void {
    this.#asked = true
    this.#wait(this.#answerMs)
    this.#options.ping()
  }
}
