import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../../logger.ts'
import { ended, type Server, shutDown } from './process.ts'

/** Times that it is started again within `WINDOW_MS`, failed attempts included. */
const MAX_RESTARTS = 5
const WINDOW_MS = 10 * 60_000
/** Between two attempts of which the first failed. */
const PAUSE_MS = 1_000

export interface SupervisorOptions {
  readonly log: Log
  readonly stopTimeoutMs: number
  /** Starts it anew where clients look for it. Rejects, with nothing left running, when `signal` aborts. */
  relaunch(port: number, signal: AbortSignal): Promise<Server>
  /** Told once when it is given up. */
  onLost(error: Error): void
}

/** Starts a Postgres that ended by itself again, a bounded number of times. */
export class PostgresSupervisor {
  readonly #options: SupervisorOptions
  readonly #stopping = new AbortController()
  readonly #watching: Promise<void>
  #server: Server
  #runs = true
  #restarts: number[] = []

  constructor(server: Server, options: SupervisorOptions) {
    this.#server = server
    this.#options = options
    this.#watching = this.#watch().catch((error: unknown) => {
      if (this.#stopping.signal.aborted) return
      options.onLost(new Error('The embedded Postgres ended and could not be started again', { cause: error }))
    })
  }

  /** Of the one that runs, or ran last. */
  get pid(): number {
    return this.#server.pid
  }

  /** Ends it for good. Called once. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#watching
    if (this.#runs) await shutDown(this.#server, this.#options.stopTimeoutMs)
  }

  async #watch(): Promise<void> {
    const { log } = this.#options
    for (;;) {
      const { pid, port, child } = this.#server
      await ended(this.#server, this.#stopping.signal)
      this.#runs = false
      // Not `code`, which the log leaves out: that is a sign-in code elsewhere.
      const how = { pid, exitCode: child?.exitCode, signal: child?.signalCode }
      log.error(how, 'the embedded Postgres ended by itself; starting it again')
      this.#server = await this.#restart(port)
      this.#runs = true
      log.warn({ pid: this.#server.pid, port }, 'the embedded Postgres runs again')
    }
  }

  async #restart(port: number): Promise<Server> {
    const { log, relaunch } = this.#options
    for (let failure: unknown; ; ) {
      const now = Date.now()
      this.#restarts = this.#restarts.filter((at) => now - at < WINDOW_MS)
      if (this.#restarts.length >= MAX_RESTARTS) {
        throw failure ?? new Error(`it ended more than ${MAX_RESTARTS} times in ${WINDOW_MS / 60_000} minutes`)
      }
      this.#restarts.push(now)
      try {
        return await relaunch(port, this.#stopping.signal)
      } catch (error) {
        if (this.#stopping.signal.aborted) throw error
        log.error({ err: error }, 'the embedded Postgres could not be started again')
        failure = error
      }
      await delay(PAUSE_MS, undefined, { signal: this.#stopping.signal })
    }
  }
}
