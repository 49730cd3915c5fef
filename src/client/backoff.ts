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

/**
 * How long to wait before trying again: anything up to a bound that doubles with each failure ("full jitter",
 * Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export function backoffMs(failures: number, { minMs, maxMs }: Backoff, random = Math.random()): number {
  return random * Math.min(maxMs, minMs * 2 ** Math.min(failures, 30))
}

/** How long to wait before connecting again after a close with `code`. */
export function reconnectMs(code: number, failures: number, backoff: Backoff, random = Math.random()): number {
  switch (code) {
    // Another node, or the same one without the session, is there at once; the jitter spreads a node's clients.
    case closeCodes.nodeLeaving:
    case closeCodes.sessionEnded:
      return failures < SOON_TRIES ? random * SOON_MS : backoffMs(failures, backoff, random)
    case closeCodes.tooFast:
      return PAUSE_MS + backoffMs(failures, { minMs: PAUSE_MS, maxMs: 4 * PAUSE_MS }, random)
    default:
      return backoffMs(failures, backoff, random)
  }
}
