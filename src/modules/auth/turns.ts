import { RpcError } from '../../rpc/index.ts'

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

/** Work of which a little is done at once, the groups that wait for it taking turns: none waits for all of another's. */
export class Turns {
  readonly #options: TurnsOptions
  /** By group, the one whose turn is next first. */
  readonly #waiting = new Map<string, Waiting[]>()
  #waitingCount = 0
  #running = 0

  constructor(options: TurnsOptions) {
    this.#options = options
  }

  /** @throws RpcError RATE_LIMITED when this group has too much waiting; UNAVAILABLE when all have, or it waited too long */
  async run<T>(group: string, work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#options.atOnce) await this.#wait(group)
    else this.#running++
    try {
      return await work()
    } finally {
      this.#running--
      this.#next()
    }
  }

  #wait(group: string): Promise<void> {
    const { maxWaiting, maxWaitingPerGroup } = this.#options
    const own = this.#waiting.get(group) ?? []
    if (own.length >= maxWaitingPerGroup) {
      throw new RpcError('RATE_LIMITED', 'Too many attempts from your network at once', { retryAfterMs: 1000 })
    }
    if (this.#waitingCount >= maxWaiting) throw tooBusy()
    this.#waiting.set(group, own)
    this.#waitingCount++
    return new Promise((resolve, reject) => {
      own.push({ since: performance.now(), begin: resolve, refuse: reject })
    })
  }

  #next(): void {
    for (const [group, own] of this.#waiting) {
      const waiting = own.shift()
      // It goes to the end, or away when it was its last.
      this.#waiting.delete(group)
      if (own.length > 0) this.#waiting.set(group, own)
      if (!waiting) continue
      this.#waitingCount--
      if (performance.now() - waiting.since <= this.#options.maxWaitMs) {
        this.#running++
        waiting.begin()
        return
      }
      waiting.refuse(tooBusy())
    }
  }
}

function tooBusy(): RpcError {
  return new RpcError('UNAVAILABLE', 'Too busy', { retryAfterMs: 1000 })
}
