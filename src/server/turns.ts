import { RpcError } from '../rpc/index.ts'

const WAIT_MS = 5_000
const RETRY_MS = 1_000

interface Waiting {
  readonly begin: () => void
  readonly timer: NodeJS.Timeout
}

/** Runs so much work at once. More waits for its turn, up to 5 s. */
export class Turns {
  readonly #atOnce: number
  readonly #maxWaiting: number
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>()
  #running = 0

  constructor(atOnce: number, maxWaiting: number) {
    this.#atOnce = atOnce
    this.#maxWaiting = maxWaiting
  }

  /** @throws RpcError UNAVAILABLE when too much waits, or for too long */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnce) this.#running++
    else await this.#turn()
    try {
      return await work()
    } finally {
      this.#next()
    }
  }

  /** Whoever ends its work hands its turn on. */
  #turn(): Promise<void> {
    const tooMuch = () => new RpcError('UNAVAILABLE', 'Too much is waiting', { retryAfterMs: RETRY_MS })
    if (this.#waiting.size >= this.#maxWaiting) return Promise.reject(tooMuch())
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#waiting.delete(waiting)
        reject(tooMuch())
      }
      const waiting: Waiting = { begin: resolve, timer: setTimeout(giveUp, WAIT_MS) }
      this.#waiting.add(waiting)
    })
  }

  #next(): void {
    const [first] = this.#waiting
    if (!first) {
      this.#running--
      return
    }
    this.#waiting.delete(first)
    clearTimeout(first.timer)
    first.begin()
  }
}
