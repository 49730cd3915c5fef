import { readFile } from 'node:fs/promises'

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
