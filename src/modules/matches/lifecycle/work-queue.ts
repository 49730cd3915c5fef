type Job = () => Promise<void>

export interface WorkQueueOptions {
  /** How many jobs run at once. */
  readonly concurrency: number
  readonly onError: (error: unknown, key: string) => void
}

/**
 * Background jobs, owned: those of one key run one after the other in the order in which they came, a bounded number
 * of all runs at a time, and a failure is told and disturbs no other.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions
  readonly #jobs = new Map<string, Job[]>()
  /** Keys whose next job may run, the one that has waited longest first. */
  readonly #ready = new Set<string>()
  #running = 0
  #whenIdle: (() => void)[] = []

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  add(key: string, job: Job): void {
    const jobs = this.#jobs.get(key)
    if (jobs) {
      jobs.push(job)
      return
    }
    this.#jobs.set(key, [job])
    this.#ready.add(key)
    this.#startReady()
  }

  /** Whether a job of this key runs or waits. */
  has(key: string): boolean {
    return this.#jobs.has(key)
  }

  /** Resolves once no job runs or waits. */
  idle(): Promise<void> {
    if (this.#jobs.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  #startReady(): void {
    for (const key of this.#ready) {
      if (this.#running >= this.#options.concurrency) return
      this.#ready.delete(key)
      this.#running++
      void this.#run(key)
    }
  }

  async #run(key: string): Promise<void> {
    const jobs = this.#jobs.get(key)
    try {
      await jobs?.[0]?.()
    } catch (error) {
      this.#options.onError(error, key)
    }
    this.#running--
    jobs?.shift()
    if (jobs === undefined || jobs.length === 0) this.#jobs.delete(key)
    else this.#ready.add(key)
    this.#startReady()
    if (this.#jobs.size > 0) return
    const whenIdle = this.#whenIdle
    this.#whenIdle = []
    for (const resolve of whenIdle) resolve()
  }
}
