import { Histogram, WAIT_MS } from '../../../histogram.ts'
import { RpcError } from '../../../rpc/index.ts'

export interface FairQueueOptions {
  readonly atOnce: number
  /** How many may wait, of all groups and of one. */
  readonly maxWaiting: number
  readonly maxWaitingPerGroup: number
  readonly maxWaitMs: number
}

interface Waiting {
  readonly since: number
  begin(): void
  refuse(error: RpcError): void
}

/** The first pieces of work of a group in this time come before those of groups that have asked for more. */
const FAVOUR_MS = 10_000
const FAVOURED = 4

/** Runs a few pieces of work at once. Groups that ask for little come first; the others take turns. */
export class FairQueue {
  readonly #options: FairQueueOptions
  readonly #favoured = new RoundRobin()
  readonly #others = new RoundRobin()
  /** How often each group has asked since `#askedSince`. */
  readonly #asked = new Map<string, number>()
  #askedSince = Number.NEGATIVE_INFINITY
  #running = 0
  /** How long work has waited for its turn, ms. */
  readonly waits = new Histogram(WAIT_MS)

  constructor(options: FairQueueOptions) {
    this.#options = options
  }

  /** How much work waits. */
  get length(): number {
    return this.#favoured.size + this.#others.size
  }

  /** @throws RpcError RATE_LIMITED when too much work of this group waits; UNAVAILABLE when too busy */
  async run<T>(group: string, work: () => Promise<T>): Promise<T> {
    const isFavoured = this.#count(group) <= FAVOURED
    if (this.#running >= this.#options.atOnce) await this.#wait(group, isFavoured ? this.#favoured : this.#others)
    else {
      this.#running++
      this.waits.add(0)
    }
    try {
      return await work()
    } finally {
      this.#running--
      this.#next()
    }
  }

  #count(group: string): number {
    const now = performance.now()
    if (now - this.#askedSince > FAVOUR_MS) {
      this.#asked.clear()
      this.#askedSince = now
    }
    const count = (this.#asked.get(group) ?? 0) + 1
    // There is no room to count this group, so it is not favoured.
    if (count === 1 && this.#asked.size >= this.#options.maxWaiting) return Number.POSITIVE_INFINITY
    this.#asked.set(group, count)
    return count
  }

  #wait(group: string, queue: RoundRobin): Promise<void> {
    const { maxWaiting, maxWaitingPerGroup } = this.#options
    if (this.#favoured.countOf(group) + this.#others.countOf(group) >= maxWaitingPerGroup) {
      throw new RpcError('RATE_LIMITED', 'Too many attempts from your network at once', { retryAfterMs: 1000 })
    }
    if (this.length >= maxWaiting) throw tooBusy()
    return new Promise((resolve, reject) => {
      queue.push(group, { since: performance.now(), begin: resolve, refuse: reject })
    })
  }

  #next(): void {
    for (;;) {
      const waiting = this.#favoured.shift() ?? this.#others.shift()
      if (!waiting) return
      const waitedMs = performance.now() - waiting.since
      this.waits.add(waitedMs)
      if (waitedMs <= this.#options.maxWaitMs) {
        this.#running++
        waiting.begin()
        return
      }
      waiting.refuse(tooBusy())
    }
  }
}

/** One queue for each group; takes from them in turn. */
class RoundRobin {
  /** In the order of their turns. */
  readonly #groups = new Map<string, Waiting[]>()
  size = 0

  countOf(group: string): number {
    return this.#groups.get(group)?.length ?? 0
  }

  push(group: string, waiting: Waiting): void {
    const own = this.#groups.get(group)
    if (own) own.push(waiting)
    else this.#groups.set(group, [waiting])
    this.size++
  }

  shift(): Waiting | undefined {
    for (const [group, own] of this.#groups) {
      const waiting = own.shift()
      this.#groups.delete(group)
      if (own.length > 0) this.#groups.set(group, own)
      this.size--
      return waiting
    }
    return undefined
  }
}

function tooBusy(): RpcError {
  return new RpcError('UNAVAILABLE', 'Too busy', { retryAfterMs: 1000 })
}
