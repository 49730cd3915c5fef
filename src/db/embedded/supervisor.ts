import { setTimeout as delay } from 'node:timers/promises'
import type { Log } from '../../logger.ts'
import { ended, type Server, shutDown } from './process.ts'

/** How often Postgres is restarted within `WINDOW_MS`, failed attempts included. */
const MAX_RESTARTS = 5
const WINDOW_MS = 10 * 60_000
/** After a failed attempt. */
const PAUSE_MS = 1_000

export interface SupervisorOptions {
  readonly log: Log
  readonly stopTimeoutMs: number
  /** Starts Postgres again on the same port. Rejects when `signal` aborts, and leaves nothing running then. */
  relaunch(port: number, signal: AbortSignal): Promise<Server>
  /** Called once, when Postgres is not restarted any more. */
  onLost(error: Error): void
}

/** Restarts a Postgres that ended by itself, a bounded number of times. */
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

  /** The pid of the running Postgres, or of the last one. */
  get pid(): number {
    return this.#server.pid
  }

  /** Stops Postgres. Call it once. */
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
      // Not `code`: the log leaves out that key, as it may hold a sign-in code.
      const how = { pid, exitCode: child?.exitCode, signal: child?.signalCode }
      log.error(how, 'the embedded Postgres ended by itself; restarting it')
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
