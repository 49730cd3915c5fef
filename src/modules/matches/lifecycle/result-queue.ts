import type { Logger } from '../../../logger.ts'
import type { MatchResult, ResultFiles } from './result-files.ts'

export interface ResultQueueOptions {
  readonly files: ResultFiles
  readonly log: Logger
  /** How many are stored at once. */
  readonly concurrency: number
  /** Stores a result and announces it. Doing so twice is the same as once. */
  readonly store: (result: MatchResult) => Promise<void>
  /** Told once of each result: it is stored, or the database will never take it. */
  readonly onDone: (result: MatchResult, isStored: boolean) => void
}

interface Waiting {
  readonly result: MatchResult
  /** Resolves once its file is written. */
  kept?: Promise<boolean>
}

const RETRY_MS = 500

/**
 * Results on their way into the database. One that it does not take, because it is away or full, is kept in a file and
 * offered again until it is stored, by this process or by the next. They have places of their own in the pool, so that
 * nothing else waits for them.
 */
export class ResultQueue {
  readonly #options: ResultQueueOptions
  /** Every result that is not stored, by its match. */
  readonly #all = new Map<string, Waiting>()
  /** Those that are not being stored at this moment, the one that has waited longest first. */
  readonly #queue = new Set<Waiting>()
  #storing = 0
  #isAway = false
  #retry: NodeJS.Timeout | undefined
  #stopped = false
  #whenIdle: (() => void)[] = []

  constructor(options: ResultQueueOptions) {
    this.#options = options
  }

  /** The matches whose results are not stored yet. */
  get matchIds(): string[] {
    return [...this.#all.keys()]
  }

  /** Takes up what earlier processes could not store. */
  async restore(): Promise<void> {
    const kept = Promise.resolve(true)
    for (const result of await this.#options.files.read()) this.#add({ result, kept })
  }

  /** Stores a result, now or as soon as the database takes it. */
  add(result: MatchResult): void {
    this.#add({ result })
  }

  /**
   * Writes a file for every result that is not stored, and then offers each once more. Resolves when none is being
   * stored any more; never rejects.
   */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all([...this.#all.values()].map((waiting) => this.#keep(waiting)))
    clearTimeout(this.#retry)
    this.#retry = undefined
    this.#next()
    if (this.#storing > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve))
  }

  #add(waiting: Waiting): void {
    const { matchId } = waiting.result
    if (this.#all.has(matchId)) return
    this.#all.set(matchId, waiting)
    this.#queue.add(waiting)
    if (this.#stopped) void this.#keep(waiting)
    this.#next()
  }

  #next(): void {
    if (this.#retry !== undefined) return
    for (const waiting of this.#queue) {
      if (this.#storing >= this.#options.concurrency) return
      this.#queue.delete(waiting)
      this.#storing++
      void this.#offer(waiting)
    }
    if (this.#storing > 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  async #offer(waiting: Waiting): Promise<void> {
    const { result } = waiting
    const { log, files, store } = this.#options
    const isLast = this.#stopped
    try {
      await store(result)
      await waiting.kept
      await files.remove(result)
      this.#done(waiting, true)
    } catch (error) {
      if (isOfResult(error)) {
        log.error({ err: error, matchId: result.matchId }, 'a result cannot be stored')
        await this.#keep(waiting)
        await files.refuse(result)
        this.#done(waiting, false)
      } else await this.#wait(waiting, error, isLast)
    }
    this.#storing--
    this.#next()
  }

  #done({ result }: Waiting, isStored: boolean): void {
    this.#all.delete(result.matchId)
    if (this.#isAway) this.#options.log.info('the database takes results again')
    this.#isAway = false
    this.#options.onDone(result, isStored)
  }

  async #wait(waiting: Waiting, error: unknown, isLast: boolean): Promise<void> {
    if (!this.#isAway) this.#options.log.warn({ err: error }, 'results wait for the database')
    this.#isAway = true
    await this.#keep(waiting)
    if (isLast) return
    this.#queue.add(waiting)
    if (this.#stopped) return
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined
      this.#next()
    }, RETRY_MS)
  }

  #keep(waiting: Waiting): Promise<boolean> {
    waiting.kept ??= this.#options.files.write(waiting.result)
    return waiting.kept
  }
}

/**
 * Whether a result itself is why it was not stored: it violates what Postgres checks (SQLSTATE classes 22 and 23), or it
 * cannot be encoded. Everything else may pass.
 */
function isOfResult(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true
  if (!(error instanceof Error) || !('code' in error)) return false
  return typeof error.code === 'string' && /^2[23][0-9A-Z]{3}$/.test(error.code)
}
