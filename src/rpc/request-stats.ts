import { Histogram, WAIT_MS } from '../histogram.ts'

/** Many requests are answered from memory. */
const LATENCY_MS = [0.05, 0.1, 0.25, 0.5, ...WAIT_MS]

/** How the requests of one type ended. */
export class RequestStats {
  ok = 0
  /** By their code: one that the definition declares, or one of the protocol. */
  readonly failed = new Map<string, number>()
  /** From the arrival of a request to its answer, ms. Without binary inputs, and without what was refused before it began. */
  readonly latency = new Histogram(LATENCY_MS)

  fail(code: string): void {
    this.failed.set(code, (this.failed.get(code) ?? 0) + 1)
  }
}
