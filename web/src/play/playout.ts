interface Frame<State> {
  readonly tick: number
  readonly state: State
}

/** Frames kept for drawing: a quarter of a second at 60 a second. */
const MAX_FRAMES = 16
/** How far behind the newest frame is drawn, in ticks: enough to have the next one there when it is needed. */
const DELAY_TICKS = 1.5
/** How fast the estimate follows frames that come later than they used to, for each frame. */
const DRIFT = 0.02
/** Frames that come this late say that the connection paused: the estimate starts anew. */
const RESET_MS = 400

/** Turns frames that arrive unevenly into an even flow: which two to draw between, at any moment. */
export class Playout<State> {
  readonly #tickMs: number
  readonly #frames: Frame<State>[] = []
  /** When tick 0 would have arrived, had it come as fast as the fastest frames do. */
  #epoch: number | null = null

  constructor(tickRate: number) {
    this.#tickMs = tickRate > 0 ? 1000 / tickRate : 0
  }

  get newest(): Frame<State> | null {
    return this.#frames.at(-1) ?? null
  }

  /** Takes a frame that arrived at `now`. One that is not newer than the last starts a new flow. */
  push(tick: number, state: State, now: number): void {
    const newest = this.newest
    if (newest && tick <= newest.tick) {
      this.#frames.length = 0
      this.#epoch = null
    }
    this.#frames.push({ tick, state })
    if (this.#frames.length > MAX_FRAMES) this.#frames.shift()

    const epoch = now - tick * this.#tickMs
    if (this.#epoch === null || epoch < this.#epoch || epoch > this.#epoch + RESET_MS) this.#epoch = epoch
    else this.#epoch += (epoch - this.#epoch) * DRIFT
  }

  /** The frames before and after what is to be drawn at `now`, and how far it is between them, 0 to 1. */
  at(now: number): { from: State; to: State; part: number } | null {
    const newest = this.newest
    if (!newest || this.#epoch === null) return null
    if (this.#tickMs === 0) return { from: newest.state, to: newest.state, part: 1 }
    const tick = (now - this.#epoch) / this.#tickMs - DELAY_TICKS
    for (let i = this.#frames.length - 1; i > 0; i--) {
      const to = this.#frames[i]
      const from = this.#frames[i - 1]
      if (!to || !from || from.tick > tick) continue
      return { from: from.state, to: to.state, part: Math.min(1, (tick - from.tick) / (to.tick - from.tick)) }
    }
    const oldest = this.#frames[0] ?? newest
    return { from: oldest.state, to: oldest.state, part: 1 }
  }
}
