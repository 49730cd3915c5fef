import { withDeadline } from '../deadline.ts'

/** Bounds how many pieces of work may wait for the database at once. */
export class Gauge {
  readonly #max: number
  #running = 0

  constructor(max: number) {
    this.#max = max
  }

  get isFull(): boolean {
    return this.#running >= this.#max
  }

  /** Runs `work` under a deadline and counts it until it is really over, late or not. */
  run<T>(work: () => Promise<T>, ms: number): Promise<T> {
    this.#running++
    const running = work().finally(() => {
      this.#running--
    })
    return withDeadline(running, ms)
  }
}
