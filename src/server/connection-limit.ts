import { readFile } from 'node:fs/promises'
import { Outage, type OutageLog } from './outage.ts'
import { addressOf } from './trusted-proxies.ts'
import type { HttpResponse, TemplatedApp } from './uws.ts'

interface TcpConnectionsOptions {
  /** Connections at once, sockets included. */
  readonly max: number
  /** Whether this address may open one more. */
  readonly admits: (peer: string) => boolean
  readonly log: OutageLog
}

/**
 * Counts all connections to one server, and cuts each one over the limit at once: a waiting connection would take a file that
 * the database needs. uWebSockets.js itself cuts connections that send no whole request in 10 s, or that are idle for 10 s
 * after one.
 */
export class TcpConnections {
  readonly #options: TcpConnectionsOptions
  readonly #full: Outage
  #open = 0

  constructor(options: TcpConnectionsOptions) {
    this.#options = options
    this.#full = new Outage('connections are refused', options.log)
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
    const { max, admits } = this.#options
    if (this.#open > max) {
      this.#full.failed(new Error(`${max} connections are open`))
      return false
    }
    this.#full.succeeded()
    return admits(addressOf(res.getRemoteAddress()))
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
