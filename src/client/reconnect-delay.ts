import { closeCodes } from '../protocol/codes.ts'

export interface Backoff {
  /** Upper end of the first wait, in ms. */
  readonly minMs: number
  /** Upper end of the longest wait, in ms. */
  readonly maxMs: number
}

const SOON_MS = 250
const SOON_TRIES = 3
const PAUSE_MS = 5_000
/** Upper end of the waits in the first half minute of an outage: a restart is over by then, and everybody back soon. */
const PATIENT_MS = 1_500
/** Later no wait adds more than this part of the time that the outage has lasted. */
const SHARE_OF_OUTAGE = 1 / 20

/**
 * How long to wait before trying again: anything up to a bound that doubles with each failure ("full jitter",
 * Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export function backoffMs(failures: number, { minMs, maxMs }: Backoff, random = Math.random()): number {
  return random * Math.min(maxMs, minMs * 2 ** Math.min(failures, 30))
}

/** What the next wait depends on. */
export interface Failed {
  /** The close code. */
  readonly code: number
  /** Attempts that failed since there was a good connection. */
  readonly failures: number
  /** How long ago there was one, in ms. */
  readonly outageMs: number
}

/** How long to wait before connecting again. */
export function reconnectMs(failed: Failed, backoff: Backoff, random = Math.random()): number {
  const { code, failures, outageMs } = failed
  const { minMs, maxMs } = backoff
  const capMs = Math.min(maxMs, Math.max(minMs, PATIENT_MS, outageMs * SHARE_OF_OUTAGE))
  const waitMs = backoffMs(failures, { minMs, maxMs: capMs }, random)
  switch (code) {
    // Another node, or the same one without the session, is there at once; the jitter spreads a node's clients.
    case closeCodes.nodeLeaving:
    case closeCodes.sessionEnded:
      return failures < SOON_TRIES ? random * SOON_MS : waitMs
    case closeCodes.tooFast:
      return PAUSE_MS + backoffMs(failures, { minMs: PAUSE_MS, maxMs: 4 * PAUSE_MS }, random)
    default:
      return waitMs
  }
}
