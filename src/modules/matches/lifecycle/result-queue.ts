import { Histogram, WAIT_MS } from '../../../histogram.ts'
import type { Logger } from '../../../logger.ts'
import type { MatchResult, ResultFiles } from './result-files.ts'
import { WorkQueue } from './work-queue.ts'

export interface ResultQueueOptions {
  readonly files: ResultFiles
  readonly log: Logger
  /** How many results are stored at once. */
  readonly concurrency: number
  /** Stores a result and announces it. It may be called twice for a result. */
  readonly store: (result: MatchResult) => Promise<void>
  /** Called once for each result: it is stored, or the database will never take it. */
  readonly onDone: (result: MatchResult, isStored: boolean) => void
}

interface Waiting {
  readonly result: MatchResult
  readonly since: number
  /** Resolves once its file is written. */
  kept?: Promise<boolean>
}

const RETRY_MS = 500

/** Results on their way into the database. What it does not take is kept in files and offered again. */
export class ResultQueue {
  readonly #options: ResultQueueOptions
  readonly #work: WorkQueue
  /** The results that are not stored, by match. */
  readonly #waiting = new Map<string, Waiting>()
  #isAway = false
  #retry: NodeJS.Timeout | undefined
  #stopped = false
  /** How long it took until results were stored, ms. */
  readonly waits = new Histogram(WAIT_MS)

  constructor(options: ResultQueueOptions) {
    this.#options = options
    this.#work = new WorkQueue(options.concurrency, (error, matchId) => {
      options.log.error({ err: error, matchId }, 'a result was not handled')
    })
  }

  /** The matches whose results are not stored yet. */
  get matchIds(): string[] {
    return [...this.#waiting.keys()]
  }

  /** How many results are not stored yet. */
  get length(): number {
    return this.#waiting.size
  }

  /** Reads the results that earlier processes could not store. */
  async restore(): Promise<void> {
    const kept = Promise.resolve(true)
    for (const result of await this.#options.files.read()) this.#add({ result, kept, since: performance.now() })
  }

  add(result: MatchResult): void {
    this.#add({ result, since: performance.now() })
  }

  /** Writes a file for every result that is not stored, and then tries each once more. Never rejects. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all([...this.#waiting.values()].map((waiting) => this.#keep(waiting)))
    clearTimeout(this.#retry)
    for (const waiting of this.#waiting.values()) this.#schedule(waiting)
    await this.#work.idle()
  }

  #add(waiting: Waiting): void {
    const { matchId } = waiting.result
    if (this.#waiting.has(matchId)) return
    this.#waiting.set(matchId, waiting)
    if (this.#stopped) void this.#keep(waiting)
    if (!this.#isAway) this.#schedule(waiting)
  }

  #schedule(waiting: Waiting): void {
    const { matchId } = waiting.result
    if (!this.#work.has(matchId)) this.#work.add(matchId, () => this.#offer(waiting))
  }

  async #offer(waiting: Waiting): Promise<void> {
    const isLast = this.#stopped
    const { result } = waiting
    if (this.#retry !== undefined && !isLast) {
      await this.#keep(waiting)
      return
    }
    const { log, files, store } = this.#options
    try {
      await store(result)
      await waiting.kept
      await files.remove(result)
      this.#done(waiting, true)
    } catch (error) {
      await this.#keep(waiting)
      if (isOfResult(error)) {
        log.error({ err: error, matchId: result.matchId }, 'a result cannot be stored')
        await files.refuse(result)
        this.#done(waiting, false)
      } else if (!isLast) this.#retryLater(waiting, error)
    }
  }

  #done({ result, since }: Waiting, isStored: boolean): void {
    this.waits.add(performance.now() - since)
    this.#waiting.delete(result.matchId)
    if (this.#isAway) this.#options.log.info('the database takes results again')
    this.#isAway = false
    this.#options.onDone(result, isStored)
  }

  #retryLater(waiting: Waiting, error: unknown): void {
    if (!this.#isAway) this.#options.log.warn({ err: error }, 'results wait for the database')
    this.#isAway = true
    // The others are offered first next time.
    this.#waiting.delete(waiting.result.matchId)
    this.#waiting.set(waiting.result.matchId, waiting)
    if (this.#stopped) this.#work.add(waiting.result.matchId, () => this.#offer(waiting))
    else
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined
        for (const each of this.#waiting.values()) this.#schedule(each)
      }, RETRY_MS)
  }

  #keep(waiting: Waiting): Promise<boolean> {
    waiting.kept ??= this.#options.files.write(waiting.result)
    return waiting.kept
  }
}

/** Whether Postgres refuses the values for good (SQLSTATE classes 22 and 23), or they cannot be encoded. */
function isOfResult(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true
  if (!(error instanceof Error) || !('code' in error)) return false
  return typeof error.code === 'string' && /^2[23][0-9A-Z]{3}$/.test(error.code)
}
