import { DeadlineError, withDeadline } from './deadline.ts'

/** Shortest time that one part is given, even when others have used up what there was. */
const LEAST_MS = 250

interface Closer {
  readonly name: string
  readonly abandonAfterMs: number | undefined
  close(): unknown
}

interface ClosingOptions {
  /**
   * Not waited for any longer than this, and no failure then: for what may wait for a database that hangs, and leaves
   * nothing behind that the end of the process does not end.
   */
  readonly abandonAfterMs?: number
}

/** What has been opened, to be closed in reverse. */
export class Closers {
  readonly #open: Closer[] = []

  /** `close` is called once, at the end; what it returns is awaited. */
  add(name: string, close: () => unknown, { abandonAfterMs }: ClosingOptions = {}): void {
    this.#open.push({ name, close, abandonAfterMs })
  }

  /**
   * Closes everything within about `budgetMs`. One part that fails or hangs does not keep the others open. Resolves with
   * the names of those that were abandoned.
   *
   * @throws AggregateError with the errors of those that failed or were not done in time
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
