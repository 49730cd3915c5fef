import { readFile } from 'node:fs/promises'
import { Outage, type OutageLog } from './outage.ts'
import { addressOf } from './trusted-proxies.ts'
import type { HttpResponse, TemplatedApp } from './uws.ts'

interface TcpConnectionsOptions {
  /** At once, sockets included. */
  readonly max: number
  /** Whether one more may come from this address. */
  readonly admits: (peer: string) => boolean
  readonly log: OutageLog
}

/**
 * All connections to one server from before their first byte. One too many is cut at once, which costs less than leaving it
 * to the system: that would let it wait, and take the files that the database needs. uWebSockets.js itself cuts those that
 * have sent no whole request in 10 s, and those that are idle for as long after one.
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
      // Cut at once, it comes back here with -1.
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

  /** An upgraded one has closed, of which the addon tells only as of a socket. */
  socketClosed(): void {
    this.#open--
  }
}

/** For everything that is no client: the database, logs, the process itself. */
const MIN_RESERVED = 64
const RESERVED_SHARE = 0.1

/**
 * How many connections of clients this process may hold before the system refuses it a file of its own (`EMFILE`), and
 * with it a connection to the database. Infinity where the system does not say, which is everywhere but on Linux.
 */
export async function connectionsByFiles(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  if (soft === undefined) return Number.POSITIVE_INFINITY
  const files = Number(soft)
  return Math.max(1, Math.floor(files - Math.max(Math.min(MIN_RESERVED, files / 2), files * RESERVED_SHARE)))
}
