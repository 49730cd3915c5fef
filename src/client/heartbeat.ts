export interface HeartbeatOptions {
  readonly heartbeatMs: number
  /** Asks the server for a sign of life. */
  readonly ping: () => void
  /** No sign of life for 1.5 heartbeats. */
  readonly dead: () => void
}

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
    this.#wait(options.heartbeatMs)
  }

  /** Something came from the server. Cheap, as it is called for every frame. */
  heard(): void {
    this.#heardAt = performance.now()
    this.#asked = false
  }

  /** Asks now, because the network may have changed. */
  probe(): void {
    if (!this.#asked) this.#ask()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#check(), ms)
  }

  #check(): void {
    const { heartbeatMs, dead } = this.#options
    const quietMs = performance.now() - this.#heardAt
    if (this.#asked) dead()
    else if (quietMs < heartbeatMs) this.#wait(heartbeatMs - quietMs)
    else this.#ask()
  }

  #ask(): void {
    this.#asked = true
    this.#wait(this.#options.heartbeatMs / 2)
    this.#options.ping()
  }
}
