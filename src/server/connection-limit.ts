import { readFile } from 'node:fs/promises'
import { Outage, type OutageLog } from './outage.ts'
import { addressOf } from './trusted-proxies.ts'
import type { HttpResponse, TemplatedApp } from './uws.ts'

/**
 * Counts all connections to one server, and cuts each one over the limit at once: a waiting connection would take a file that
 * the database needs. uWebSockets.js itself cuts connections that send no whole request in 10 s, or that are idle for 10 s
 * after one.
 */
export class TcpConnections {
  readonly #max: number
  readonly #isAddressAdmitted: (peer: string) => boolean
  readonly #full: Outage
  #open = 0

  /** @param max connections at once, sockets included */
  constructor(max: number, isAddressAdmitted: (peer: string) => boolean, log: OutageLog) {
    this.#max = max
    this.#isAddressAdmitted = isAddressAdmitted
    this.#full = new Outage('connections are refused', log)
  }

  attach(app: TemplatedApp): void {
    const count = (res: HttpResponse, change: number): void => {
      this.#open += change
      // A connection that is cut comes back here with -1.
      if (change > 0 && !this.#admits(res)) res.close()
    }
    app.filter(count)
  }

  #admits(res: HttpResponse): boolean {
    if (this.#open > this.#max) {
      this.#full.failed(new Error(`${this.#max} connections are open`))
      return false
    }
    this.#full.succeeded()
    return this.#isAddressAdmitted(addressOf(res.getRemoteAddress()))
  }

  /** Call this when a socket has closed: the filter does not report the end of upgraded connections. */
  socketClosed(): void {
    this.#open--
  }
}

/** Files that are kept for the database, logs and the process itself. */
const MIN_RESERVED = 64
const RESERVED_SHARE = 0.1

/**
 * How many client connections leave enough files (`ulimit -n`) for this process itself. Infinity where the system does not
 * say, which is everywhere but on Linux.
 */
export async function connectionsByFiles(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  if (soft === undefined) return Number.POSITIVE_INFINITY
  const files = Number(soft)
  return Math.max(1, Math.floor(files - Math.max(Math.min(MIN_RESERVED, files / 2), files * RESERVED_SHARE)))
}
