import { nextFloat, nextInt, type PrngState, seedPrng } from '../../src/games/prng.ts'

/** Random choices from a seed. Each takes one step, so that one choice does not change the choices after it. */
export class Random {
  readonly #state: PrngState

  constructor(seed: number) {
    this.#state = seedPrng(seed)
  }

  /** An integer of 0 to `bound` - 1. */
  below(bound: number): number {
    return Math.floor(nextFloat(this.#state) * bound)
  }

  chance(probability: number): boolean {
    return nextFloat(this.#state) < probability
  }

  pick<T>(items: readonly [T, ...T[]]): T
  pick<T>(items: readonly T[]): T | undefined
  pick<T>(items: readonly T[]): T | undefined {
    return items[this.below(items.length)]
  }

  bytes(length: number): Buffer {
    return Buffer.from(Uint8Array.from({ length }, () => nextInt(this.#state, 256)))
  }
}
