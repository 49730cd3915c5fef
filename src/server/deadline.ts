/** Work that something outside of this process does was not done in time. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
}

/**
 * What `work` gives, unless it takes longer than `ms`. Work that comes too late is dropped, and so is its error.
 *
 * @throws DeadlineError when the time is over.
 */
export function withDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(lateBy(ms)), ms)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

function lateBy(ms: number): DeadlineError {
  return new DeadlineError(`no answer in ${ms} ms`)
}

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
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(lateBy(ms)), ms)
      const isOver = () => {
        this.#running--
        clearTimeout(timer)
      }
      work().then(
        (value) => {
          isOver()
          resolve(value)
        },
        (error: unknown) => {
          isOver()
          reject(error)
        },
      )
    })
  }
}
