import type { Signal } from './signals.ts'

/**
 * What one user is sent in this time. `rooms.signal` takes 300 in 10 s, a socket 32 KiB a second, and a call has 7 others at
 * most: a connection that fails over and over leaves the others their share. A description has about 9 KiB.
 */
const SHARE = { signals: 40, bytes: 40 * 1024, withinMs: 10_000 }
/** Candidates that are found within this time are sent together. */
const GATHER_MS = 50
/** Candidates of one signal: about 6 of its 16 KiB. */
const MAX_CANDIDATES = 24
const MAX_WAITING = 64
const MAX_TRIES = 5
const MAX_RETRY_MS = 10_000

/** Sends a signal. Resolves with the ms after which a refused one may be sent again, or null: it was sent, or is lost. */
export type SendSignal = (signal: Signal) => Promise<number | null>

/** The signals to one user, sent one after the other in their order. */
export class Outbox {
  readonly #send: SendSignal
  /** Over `MAX_WAITING` the oldest is lost; the page that misses it asks again with its next hello. */
  readonly #waiting: Signal[] = []
  /** Of the last `SHARE.withinMs`. At most `SHARE.signals`. */
  readonly #sent: { readonly at: number; readonly bytes: number }[] = []
  #isSending = false
  #isClosed = false

  constructor(send: SendSignal) {
    this.#send = send
  }

  push(signal: Signal): void {
    const last = this.#waiting.at(-1)
    const joined = last && join(last, signal)
    if (joined) this.#waiting.splice(-1, 1, joined)
    else this.#waiting.push(signal)
    if (this.#waiting.length > MAX_WAITING) this.#waiting.shift()
    if (!this.#isSending) void this.#sendAll()
  }

  /** Forgets what belongs to a connection that is gone. */
  keepGreetings(): void {
    const greetings = this.#waiting.filter(({ type }) => type === 'hello')
    this.#waiting.splice(0, this.#waiting.length, ...greetings)
  }

  close(): void {
    this.#isClosed = true
    this.#waiting.length = 0
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true
    for (let first = this.#waiting[0]; first && !this.#isClosed; first = this.#waiting[0]) {
      if (first.type === 'candidates') await pause(GATHER_MS)
      await this.#waitForShare()
      const signal = this.#waiting.shift()
      if (signal) await this.#sendOne(signal)
    }
    this.#isSending = false
  }

  async #sendOne(signal: Signal): Promise<void> {
    for (let tries = 1; !this.#isClosed; tries++) {
      this.#sent.push({ at: performance.now(), bytes: JSON.stringify(signal).length })
      const retryMs = await this.#send(signal)
      if (retryMs === null || tries === MAX_TRIES) return
      await pause(Math.min(retryMs, MAX_RETRY_MS))
      await this.#waitForShare()
    }
  }

  async #waitForShare(): Promise<void> {
    for (let [oldest] = this.#sent; oldest; [oldest] = this.#sent) {
      const waitMs = oldest.at + SHARE.withinMs - performance.now()
      if (waitMs > 0) {
        const bytes = this.#sent.reduce((sum, sent) => sum + sent.bytes, 0)
        if (this.#sent.length < SHARE.signals && bytes < SHARE.bytes) return
        await pause(waitMs)
      }
      this.#sent.shift()
    }
  }
}

/** The candidates of both signals in one; null where they do not fit together. */
function join(last: Signal, next: Signal): Signal | null {
  if (last.type !== 'candidates' || next.type !== 'candidates' || last.to !== next.to) return null
  const candidates = [...last.candidates, ...next.candidates]
  return candidates.length > MAX_CANDIDATES ? null : { ...next, candidates }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
