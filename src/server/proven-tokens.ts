const REMEMBER_MS = 60_000
/** Over this the oldest is forgotten: it then waits with the wrong ones of its address. */
const MAX_TOKENS = 10_000

/** The hashes of tokens that were valid a moment ago: wrong tokens of the same address do not keep them out. */
export class ProvenTokens {
  /** Monotonic, ms; oldest first. */
  readonly #provenAt = new Map<string, number>()

  add(hash: string): void {
    const now = performance.now()
    this.#provenAt.delete(hash)
    this.#provenAt.set(hash, now)
    for (const [oldest, at] of this.#provenAt) {
      if (this.#provenAt.size <= MAX_TOKENS && now - at < REMEMBER_MS) break
      this.#provenAt.delete(oldest)
    }
  }

  has(hash: string): boolean {
    return performance.now() - (this.#provenAt.get(hash) ?? Number.NEGATIVE_INFINITY) < REMEMBER_MS
  }

  delete(hash: string): void {
    this.#provenAt.delete(hash)
  }
}
