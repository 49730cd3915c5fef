import { Histogram, WAIT_MS } from '../../../histogram.ts'

/** Background jobs. Those of one key run one after the other, in order. A failure is reported and disturbs no other. */
export class WorkQueue {
  readonly #onError: (error: unknown, key: string) => void
  /** The end of the last job of each key. */
  readonly #ends = new Map<string, Promise<void>>()
  #free: number
  readonly #waiting: (() => void)[] = []
  /** How long jobs have waited for their turn, without the time that they waited for earlier ones of their key, ms. */
  readonly waits = new Histogram(WAIT_MS)

  /** @param concurrency how many jobs run at once */
  constructor(concurrency: number, onError: (error: unknown, key: string) => void) {
    this.#free = concurrency
    this.#onError = onError
  }

  /** How many jobs wait for others to end. */
  get length(): number {
    return this.#waiting.length
  }

  add(key: string, job: () => Promise<void>): void {
    const before = this.#ends.get(key) ?? Promise.resolve()
    const end: Promise<void> = before
      .then(() => this.#run(job))
      .catch((error: unknown) => this.#onError(error, key))
      .finally(() => {
        if (this.#ends.get(key) === end) this.#ends.delete(key)
      })
    this.#ends.set(key, end)
  }

  /** Whether a job of this key runs or waits. */
  has(key: string): boolean {
    return this.#ends.has(key)
  }

  /** Resolves once no job runs or waits. */
  async idle(): Promise<void> {
    while (this.#ends.size > 0) await Promise.all(this.#ends.values())
  }

  async #run(job: () => Promise<void>): Promise<void> {
    const since = performance.now()
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.waits.add(performance.now() - since)
    try {
      await job()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}
