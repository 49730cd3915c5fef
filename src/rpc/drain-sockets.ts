import { closeCodes } from '../protocol/index.ts'
import type { Connection, Connections } from './connection.ts'

export interface DrainOptions {
  /** Whether there is something else to wait for. */
  readonly isBusy: () => boolean
  /** Sockets that are not told yet. */
  readonly keeps: (connection: Connection) => boolean
  /** Ends it before its time. */
  readonly signal?: AbortSignal | undefined
}

/** How many sockets are told to come back: one node opens about 700 a second again, with their streams. */
const SOCKETS_PER_SECOND = 500
/** All are told within this share of the time. */
const TELLING = 0.5
const STEP_MS = 20

/**
 * Closes the sockets with 4000, in batches, so that their clients do not all come back in one instant. A socket with
 * requests under way takes no more, and is closed once they are answered. Resolves when no socket is left and nothing is
 * busy, or after `deadlineMs`, or when `signal` aborts.
 */
export async function drainSockets(
  connections: Connections,
  deadlineMs: number,
  { isBusy, keeps, signal }: DrainOptions,
): Promise<void> {
  const until = performance.now() + deadlineMs
  const perSecond = Math.max(SOCKETS_PER_SECOND, connections.size / ((deadlineMs / 1000) * TELLING))
  let told = 0
  for (let sinceMs = STEP_MS; ; sinceMs += STEP_MS) {
    for (const connection of connections) {
      if (keeps(connection)) continue
      if (!connection.leaving) {
        if (told >= (perSecond * sinceMs) / 1000) break
        told++
        connection.leaving = true
      }
      if (connection.inFlight === 0) connection.close(closeCodes.nodeLeaving, 'the node is leaving')
    }
    const isOver = performance.now() >= until || signal?.aborted === true
    if (isOver || (connections.size === 0 && !isBusy())) return
    await new Promise((resolve) => setTimeout(resolve, STEP_MS))
  }
}
