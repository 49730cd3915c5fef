import type { Played } from './now-playing.ts'

/** One moment of the graph. */
export interface NetSample {
  readonly rttMs: number
  /** Ticks stepped again since the moment before; 0 for no rollback. */
  readonly depth: number
  readonly isOpen: boolean
}

export const SAMPLE_MS = 100
/** Half a minute. */
export const MAX_SAMPLES = 300

/** What the network did in the last half minute. */
export class NetHistory {
  readonly #samples: NetSample[] = []
  #depth = 0

  /** Oldest first. */
  get samples(): readonly NetSample[] {
    return this.#samples
  }

  /** Counts the rollbacks of a match from now on. Answers how to stop. */
  follow(played: Played): () => void {
    return played.on('correction', ({ depth }) => {
      this.#depth = Math.max(this.#depth, depth)
    })
  }

  sample(rttMs: number, isOpen: boolean): void {
    this.#samples.push({ rttMs, depth: this.#depth, isOpen })
    this.#depth = 0
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift()
  }
}
