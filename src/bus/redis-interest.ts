/** Subscriptions that wait until all other nodes know one version of what this node listens to. */
interface Waiting {
  readonly deadline: number
  readonly promise: Promise<void>
  resolve(): void
  reject(error: Error): void
}

/** The topics that one node listens to, as it tells them to the others. One version is one turn of the event loop. */
export class Interest {
  version = 0
  /** The topics that were told, with the version since which they are. */
  readonly #told = new Map<string, number>()
  readonly #changed = new Set<string>()
  readonly #waiting = new Map<number, Waiting>()
  readonly #readyMs: number

  /** @param readyMs how long a subscription may wait until all other nodes know of it */
  constructor(readyMs: number) {
    this.#readyMs = readyMs
  }

  get topics(): string[] {
    return [...this.#told.keys()]
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0
  }

  /** The first listener of a topic came, or the last one left. */
  change(topic: string): void {
    this.#changed.add(topic)
  }

  /** Makes the next version of what changed. */
  next(isListenedTo: (topic: string) => boolean): { version: number; added: string[]; removed: string[] } {
    this.version++
    const changed = [...this.#changed]
    const removed = changed.filter((topic) => this.#told.has(topic) && !isListenedTo(topic))
    const added = changed.filter((topic) => !this.#told.has(topic) && isListenedTo(topic))
    this.#changed.clear()
    for (const topic of removed) this.#told.delete(topic)
    for (const topic of added) this.#told.set(topic, this.version)
    return { version: this.version, added, removed }
  }

  /** Resolves once all other nodes know that this one listens to `topic`; rejects when that takes too long. */
  ready(topic: string, isKnown: (version: number) => boolean): Promise<void> {
    const version = this.#changed.has(topic) ? this.version + 1 : (this.#told.get(topic) ?? 0)
    if (isKnown(version)) return Promise.resolve()
    const same = this.#waiting.get(version)
    if (same) return same.promise
    let [resolve, reject]: [() => void, (error: Error) => void] = [() => {}, () => {}]
    const promise = new Promise<void>((onResolve, onReject) => {
      resolve = onResolve
      reject = onReject
    })
    // No subscription waits for it.
    promise.catch(() => undefined)
    this.#waiting.set(version, { deadline: performance.now() + this.#readyMs, promise, resolve, reject })
    return promise
  }

  /** Resolves subscriptions whose version is known, and rejects those that have waited for too long. */
  settle(isKnown: (version: number) => boolean): void {
    const now = performance.now()
    for (const [version, { deadline, resolve, reject }] of this.#waiting) {
      if (isKnown(version)) resolve()
      else if (now > deadline) reject(new Error('the other nodes cannot be reached'))
      else continue
      this.#waiting.delete(version)
    }
  }

  close(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error('the bus is closed'))
    this.#waiting.clear()
  }
}
