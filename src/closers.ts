/** Shortest time that one part is given, even when others have used up what there was. */
const LEAST_MS = 250

interface Closer {
  readonly name: string
  close(): unknown
}

/** What has been opened, to be closed in reverse. */
export class Closers {
  readonly #open: Closer[] = []

  /** `close` is called once, at the end; what it returns is awaited. */
  add(name: string, close: () => unknown): void {
    this.#open.push({ name, close })
  }

  /**
   * Closes everything within about `budgetMs`. One part that fails or hangs does not keep the others open.
   *
   * @throws AggregateError with the errors of those that failed or were not done in time
   */
  async closeAll(budgetMs: number): Promise<void> {
    const until = Date.now() + budgetMs
    const failures: unknown[] = []
    for (let closer = this.#open.pop(); closer; closer = this.#open.pop()) {
      try {
        await withinBudget(closer, Math.max(LEAST_MS, until - Date.now()))
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join('; '))
  }
}

async function withinBudget({ name, close }: Closer, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${name} did not close in time`)), ms)
  })
  try {
    await Promise.race([close(), late])
  } finally {
    clearTimeout(timer)
  }
}
