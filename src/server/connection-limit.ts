import { readFile } from 'node:fs/promises'
import { Outage, type OutageLog } from './outage.ts'
import { addressOf } from './trusted-proxies.ts'
import type { HttpResponse, TemplatedApp } from './uws.ts'

/**
 * Counts all connections to `app`, and cuts each one over the limit at once: a waiting connection would take a file that the
 * database needs. uWebSockets.js itself cuts connections that send no whole request in 10 s, or that are idle for 10 s after
 * one.
 *
 * @param max connections at once, sockets included
 */
export function limitConnections(
  app: TemplatedApp,
  max: number,
  isAddressAdmitted: (peer: string) => boolean,
  log: OutageLog,
) {
  const full = new Outage('connections are refused', log)
  let open = 0
  let refused = 0

  const admits = (res: HttpResponse): boolean => {
    if (open <= max) full.succeeded()
    else {
      refused++
      full.failed(new Error(`${max} connections are open`))
    }
    return open <= max && isAddressAdmitted(addressOf(res.getRemoteAddress()))
  }
  const count = (res: HttpResponse, change: number): void => {
    open += change
    // A connection that is cut comes back here with -1.
    if (change > 0 && !admits(res)) res.close()
  }
  app.filter(count)
  return {
    /** Call this when a socket has closed: the filter does not report the end of upgraded connections. */
    socketClosed: () => void open--,
    /** How many were cut because too many were open. */
    get refused() {
      return refused
    },
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
