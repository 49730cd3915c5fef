import { DeadlineError, withDeadline } from './deadline.ts'

/** Each part gets at least so long, even when others have used up the budget. */
const LEAST_MS = 250

interface Closer {
  readonly name: string
  readonly abandonAfterMs: number | undefined
  close(): unknown
}

/** Closes what has been opened, in reverse order. */
export class Closers {
  readonly #open: Closer[] = []

  /**
   * `close` is called once, and its result is awaited: after `abandonAfterMs` no more, which is no failure. That is for parts
   * that may wait for a database that hangs, and that need not be finished when the process ends.
   */
  add(name: string, close: () => unknown, abandonAfterMs?: number): void {
    this.#open.push({ name, close, abandonAfterMs })
  }

  /**
   * Closes everything within about `budgetMs`, even if a part fails or hangs. Answers the names of abandoned parts.
   *
   * @throws AggregateError with the errors of parts that failed or took too long
   */
  async closeAll(budgetMs: number): Promise<readonly string[]> {
    const until = performance.now() + budgetMs
    const failures: unknown[] = []
    const abandoned: string[] = []
    for (let closer = this.#open.pop(); closer; closer = this.#open.pop()) {
      const { name, abandonAfterMs } = closer
      const left = Math.max(LEAST_MS, until - performance.now())
      try {
        await withDeadline(Promise.resolve(closer.close()), Math.min(left, abandonAfterMs ?? left))
      } catch (error) {
        const isLate = error instanceof DeadlineError
        if (isLate && abandonAfterMs !== undefined) abandoned.push(name)
        else failures.push(isLate ? new Error(`${name} did not close in time`) : error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('; '))
    return abandoned
  }
}
