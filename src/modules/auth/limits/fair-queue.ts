import { RpcError } from '../../../rpc/index.ts'

export interface TurnsOptions {
  /** Pieces of work at once. */
  readonly atOnce: number
  /** Those that may wait for their turn, of all groups and of one. */
  readonly maxWaiting: number
  readonly maxWaitingPerGroup: number
  readonly maxWaitMs: number
}

interface Waiting {
  readonly since: number
  begin(): void
  refuse(error: RpcError): void
}

/** The first few turns of a group in this time come before those of groups that have had theirs. */
const FAVOUR_MS = 10_000
const FAVOURED_TURNS = 4

/**
 * Work of which a little is done at once. Groups that ask for little come first, the others take turns: none waits for
 * all of another's.
 */
export class Turns {
  readonly #options: TurnsOptions
  readonly #favoured = new RoundRobin()
  readonly #others = new RoundRobin()
  /** How often each group has asked lately. */
  readonly #asked = new Map<string, number>()
  #askedSince = Number.NEGATIVE_INFINITY
  #running = 0

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** @throws RpcError RATE_LIMITED when this group has too much waiting; UNAVAILABLE when all have, or it waited too long */
  async run<T>(group: string, work: () => Promise<T>): Promise<T> {
    const isFavoured = this.#count(group) <= FAVOURED_TURNS
    if (this.#running >= this.#options.atOnce) await this.#wait(group, isFavoured ? this.#favoured : this.#others)
    else this.#running++
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
    // Those of whom there is no room to remember anything are not favoured.
    if (count === 1 && this.#asked.size >= this.#options.maxWaiting) return Number.POSITIVE_INFINITY
    this.#asked.set(group, count)
    return count
  }

  #wait(group: string, queue: RoundRobin): Promise<void> {
    const { maxWaiting, maxWaitingPerGroup } = this.#options
    if (this.#favoured.countOf(group) + this.#others.countOf(group) >= maxWaitingPerGroup) {
      throw new RpcError('RATE_LIMITED', 'Too many attempts from your network at once', { retryAfterMs: 1000 })
    }
    if (this.#favoured.size + this.#others.size >= maxWaiting) throw tooBusy()
    return new Promise((resolve, reject) => {
      queue.push(group, { since: performance.now(), begin: resolve, refuse: reject })
    })
  }

  #next(): void {
    for (;;) {
      const waiting = this.#favoured.shift() ?? this.#others.shift()
      if (!waiting) return
      if (performance.now() - waiting.since <= this.#options.maxWaitMs) {
        this.#running++
        waiting.begin()
        return
      }
      waiting.refuse(tooBusy())
    }
  }
}

/** A queue of each group, from which one is taken in turn. */
class RoundRobin {
  /** The group whose turn is next first. */
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
      // It goes to the end, or away when that was its last.
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
