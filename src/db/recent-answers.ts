export interface RecentAnswersOptions {
  readonly keepMs: number
  /** Default 20,000. */
  readonly maxCount?: number
  /** Of all answers and their keys. Default 16 MiB. */
  readonly maxBytes?: number
  /** Monotonic, in ms. */
  readonly now?: () => number
}

interface Answer {
  readonly type: string
  readonly text: string
  readonly bytes: number
  readonly at: number
}

/** What a string takes at most, a character. */
const CHARACTER_BYTES = 2
/** An entry of a map, its object and the heads of its strings, about. */
const ENTRY_BYTES = 200

/** The answers that this process gave last: the newest, as many as the bounds allow, for as long as they are kept. */
export class RecentAnswers {
  readonly #keepMs: number
  readonly #maxCount: number
  readonly #maxBytes: number
  readonly #now: () => number
  // In the order of their age.
  readonly #answers = new Map<string, Answer>()
  #bytes = 0

  constructor({
    keepMs,
    maxCount = 20_000,
    maxBytes = 16 * 1024 * 1024,
    now = performance.now.bind(performance),
  }: RecentAnswersOptions) {
    this.#keepMs = keepMs
    this.#maxCount = maxCount
    this.#maxBytes = maxBytes
    this.#now = now
  }

  get(id: string): { readonly type: string; readonly text: string } | undefined {
    const answer = this.#answers.get(id)
    if (!answer || this.#now() - answer.at < this.#keepMs) return answer
    this.#delete(id, answer)
    return undefined
  }

  set(id: string, type: string, text: string): void {
    const before = this.#answers.get(id)
    if (before) this.#delete(id, before)
    const now = this.#now()
    const bytes = (id.length + text.length) * CHARACTER_BYTES + ENTRY_BYTES
    this.#answers.set(id, { type, text, bytes, at: now })
    this.#bytes += bytes
    for (const [oldest, answer] of this.#answers) {
      const fits = this.#answers.size <= this.#maxCount && this.#bytes <= this.#maxBytes
      if (fits && now - answer.at < this.#keepMs) break
      this.#delete(oldest, answer)
    }
  }

  #delete(id: string, { bytes }: Answer): void {
    this.#answers.delete(id)
    this.#bytes -= bytes
  }
}
