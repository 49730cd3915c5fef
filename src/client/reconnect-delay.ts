import { closeCodes } from '../protocol/codes.ts'

/** The waits between attempts to connect, in ms. */
export interface Backoff {
  /** Upper end of the first wait. */
  readonly minMs: number
  /** Upper end of the longest wait. */
  readonly maxMs: number
}

export const DEFAULT_BACKOFF: Backoff = { minMs: 500, maxMs: 20_000 }

/** Upper end of the first waits after a close which says that a new socket is welcome. */
const MOVED_MS = 250
const MOVED_TRIES = 3
const MOVED: ReadonlySet<number> = new Set([closeCodes.nodeLeaving, closeCodes.roleChanged, closeCodes.sessionEnded])
/** The shortest wait after a socket was closed because it was too fast. */
const TOO_FAST_MS = 5_000
/** Upper end of the waits in the first half minute of an outage: a restart is over by then, and everybody is back soon. */
const RESTART_MS = 1_500
/** Later no wait adds more than this part of the time that the outage has lasted. */
const SHARE_OF_OUTAGE = 1 / 20

/** A random wait below a bound that doubles with each failure: "full jitter", Brooker, AWS Architecture Blog, 2015. */
export function backoffMs(failures: number, { minMs, maxMs }: Backoff, random = Math.random()): number {
  return random * Math.min(maxMs, minMs * 2 ** Math.min(failures, 30))
}

/** How long to wait after a close with `code`, the `failures`th in a row, `outageMs` after the last good connection. */
export function reconnectMs(
  { code, failures, outageMs }: { readonly code: number; readonly failures: number; readonly outageMs: number },
  backoff: Backoff,
  random = Math.random(),
): number {
  if (code === closeCodes.tooFast) {
    return TOO_FAST_MS + backoffMs(failures, { minMs: TOO_FAST_MS, maxMs: 4 * TOO_FAST_MS }, random)
  }
  // Another node, or the same one with another session or role, answers at once; the jitter spreads a node's clients.
  if (MOVED.has(code) && failures < MOVED_TRIES) return random * MOVED_MS
  const maxMs = Math.min(backoff.maxMs, Math.max(backoff.minMs, RESTART_MS, outageMs * SHARE_OF_OUTAGE))
  return backoffMs(failures, { minMs: backoff.minMs, maxMs }, random)
}
